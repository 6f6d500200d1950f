/* One person: candidates one at a time beside their own photos; decisions lead on to the next who needs one. */
"use strict";
(function () {
  const { $, data, decide, undo, ask, askRedo, review, say, stateOf, undecided, events, toast, onKeys, onChange, order } = window.Rollcall;
  const tell = window.RollcallTell;
  const person = data.person;
  const shots = data.candidates.map((candidate) => candidate.digest);
  let shown = 0;

  /* Neighbours follow the wall as it was last filtered and sorted in this browser. */
  const kept = order().ids;
  const place = kept.indexOf(person.id);
  const before = place > 0 ? kept[place - 1] : place < 0 ? data.before : null;
  const after = place >= 0 ? kept[place + 1] || null : data.after;
  point("before", before);
  point("after", after);

  function point(id, to) {
    const link = $(id);
    if (!link) return;
    link.hidden = !to;
    if (to) link.href = `${to}.html`;
  }
  function go(to) { if (to) location.href = `${to}.html`; else toast(tell("script.last_one")); }

  function pick(index) {
    if (index < 0 || index >= shots.length) return;
    shown = index;
    for (const part of document.querySelectorAll("[data-digest]")) part.hidden = part.dataset.digest !== shots[index];
    for (const button of document.querySelectorAll("[data-pick]")) {
      button.setAttribute("aria-pressed", String(button.dataset.pick === shots[index]));
    }
  }

  async function judge(verdict) {
    if (!shots.length && (verdict === "approve" || verdict === "reject")) { toast(tell("script.no_picture")); return; }
    if (verdict === "opt_out" && !(await ask())) return;
    const note = $("note").value.trim();
    const wish = verdict === "redo" ? await askRedo(note) : { note };
    if (!wish || !(await decide(person, shots[shown] || null, verdict, wish.note, wish.reasons))) return;
    $("note").value = "";
    toast(tell("script.done_next", { done: tell(`verdict.${verdict}`) }));
  }

  function mark() {
    const state = stateOf(person);
    const found = review(person);
    const decision = found.decision;
    $("state").className = `chip ${state}`;
    $("state").textContent = data.states[state] || state;
    $("decided").textContent = decision && decision.by ? `${say(decision, person)}${decision.note ? `: ${decision.note}` : ""}` : "";
    const before = Object.fromEntries(data.candidates.map((candidate) => [candidate.digest, candidate.state]));
    const said = found.state === "undecided" && state === person.state ? before : found.pictures;
    for (const button of document.querySelectorAll("[data-pick]")) {
      for (const word of ["approved", "rejected"]) button.classList.toggle(word, said[button.dataset.pick] === word);
    }
    history();
    for (const button of document.querySelectorAll("#decide [data-verdict]")) {
      button.setAttribute("aria-pressed", String(Boolean(decision) && decision.verdict === button.dataset.verdict));
    }
  }

  /* What was decided so far, colleagues' decisions of this minute too; at the desk only, a folder knows its own list. */
  function history() {
    const mine = events().filter((event) => event.employee === person.id && event.by);
    if (!mine.length) return;
    $("history-title").hidden = false;
    $("history").replaceChildren(...mine.reverse().map((event) => {
      const line = document.createElement("li");
      const asked = (event.reasons || []).map((code) => (data.reasons.find((one) => one.code === code) || { name: code }).name.split(":")[0].toLowerCase());
      const what = document.createElement("strong");
      what.textContent = tell(`verdict.${event.verdict}`) + (asked.length ? ` (${asked.join(", ")})` : "");
      const when = new Date(event.at).toLocaleString([], { dateStyle: "long", timeStyle: "short" });
      line.append(what, ` ${tell(event.note ? "script.by_with_note" : "script.by", { who: event.by, when, note: event.note })}`);
      return line;
    }));
  }

  /* Only the wall knows everybody's state; it leaves a list of who was open, and what was decided since is known here. */
  function next() {
    const ids = place >= 0 ? [...kept.slice(place + 1), ...kept.slice(0, place)] : [data.after].filter(Boolean);
    const waiting = new Set(order().open);
    const open = ids.find((id) => (waiting.has(id) || place < 0) && undecided({ id, state: "review", base: "review", newest: "" }));
    if (open) go(open); else toast(tell("script.all_decided"));
  }

  function takeBack() {
    const event = undo();
    if (event && event.employee !== person.id) go(event.employee); /* show what was undone */
  }

  onKeys({
    j: () => go(after), ArrowRight: () => go(after), k: () => go(before), ArrowLeft: () => go(before),
    ArrowDown: () => pick(shown + 1), ArrowUp: () => pick(shown - 1),
    a: () => judge("approve"), r: () => judge("reject"), d: () => judge("redo"), o: () => judge("opt_out"),
    u: takeBack, n: next, Escape: () => { location.href = "../index.html"; },
    ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => [String(digit), () => pick(digit - 1)])),
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pick], #decide [data-verdict]");
    if (!button) return;
    if (button.dataset.pick) pick(shots.indexOf(button.dataset.pick)); else judge(button.dataset.verdict);
  });
  $("undo").addEventListener("click", takeBack);
  $("next").addEventListener("click", next);
  $("decide").hidden = false;
  onChange(mark);
  const approved = data.candidates.findIndex((candidate) => candidate.state === "approved");
  pick(Math.max(0, approved));
  mark();
})();
