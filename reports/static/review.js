/* Which decision counts: the same rule as tasks/vault/review.py, held to the same table of cases
   (tests/vault/review_cases.json). Pure: events and pictures in, what they come to out. */
"use strict";
window.RollcallReview = (function () {
  const time = (text) => Date.parse(text) || 0;

  /* Events in the order of their times, without undone ones and their undoing. */
  function standing(events) {
    const left = [];
    const ordered = [...events].sort((a, b) => time(a.at) - time(b.at) || (String(a.id) < String(b.id) ? -1 : 1));
    for (const event of ordered) {
      if (event.verdict !== "undo") { left.push(event); continue; }
      const mine = left.filter((one) => one.batch === event.batch);
      const same = mine.filter((one) => event.headshot && one.headshot === event.headshot);
      const undone = (same.length ? same : mine).pop();
      if (undone) left.splice(left.lastIndexOf(undone), 1);
    }
    return left;
  }

  /* Pictures: {digest, takenAt, lane, retired}. Answers {state, decision, approved, pictures: digest → its state}. */
  function reviewOf(events, pictures, kit) {
    const states = Object.fromEntries(pictures.map((one) => [one.digest, one.retired ? "retired" : "candidate"]));
    const takeBack = () => { for (const one in states) if (states[one] === "approved") states[one] = "candidate"; };
    const left = standing(events).filter((event) => (event.kit || "") === kit || event.verdict === "opt_out");
    for (const event of left) {
      const named = event.headshot in states ? event.headshot : null;
      if (event.verdict === "approve") {
        if (named && event.counts !== false) { takeBack(); states[named] = "approved"; }
      } else if (event.verdict === "opt_out") {
        for (const one of pictures) if (one.lane === "generated") states[one.digest] = "rejected";
      } else {
        if (event.verdict === "redo") takeBack();
        if (named) states[named] = "rejected";
      }
    }
    const approved = Object.keys(states).find((one) => states[one] === "approved") || null;
    return { ...outcome(left, approved, pictures), approved, pictures: states };
  }

  function outcome(left, approved, pictures) {
    if (approved) {
      const decision = left.filter((one) => one.verdict === "approve" && one.headshot === approved).pop();
      return { state: "approved", decision };
    }
    const last = left[left.length - 1];
    if (!last || last.verdict === "approve") return { state: "undecided", decision: null };
    if (last.verdict === "opt_out") return { state: "opted_out", decision: last };
    if (pictures.some((one) => !one.retired && time(one.takenAt) > time(last.at))) return { state: "undecided", decision: null };
    return { state: last.verdict === "redo" ? "redo" : "rejected", decision: last };
  }

  /* Whether a decision changes what a colleague's standing one came to: as `overrules` in reports/decisions.py. */
  function overrules(verdict, picture, stands) {
    const its = stands.headshot || null;
    if (verdict === stands.verdict && picture === its) return false;
    if (stands.verdict === "approve") return verdict !== "reject" || picture === its;
    if (stands.verdict === "reject") return verdict === "approve" && picture === its;
    return verdict !== "reject" && verdict !== stands.verdict;
  }

  return { standing, reviewOf, overrules };
})();
