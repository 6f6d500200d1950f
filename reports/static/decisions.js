/* Decisions: kept per batch in this browser, exported as a file, and posted to the review desk when it serves the page.
   A decision is an event {employee, headshot, verdict, note, reasons, at, by, batch, kit}; "undo" is one too, so nothing
   is ever rewritten. What the desk refuses is shown in red and kept: "Saved" is said of what the desk has, and nothing else. */
"use strict";
window.Rollcall = (function () {
  const meta = (name) => { const tag = document.querySelector(`meta[name="${name}"]`); return tag ? tag.content : ""; };
  const batch = meta("rollcall-batch");
  const desk = location.protocol.startsWith("http") ? meta("rollcall-desk") : "";
  const me = meta("rollcall-by");
  const { standing, reviewOf, overrules } = window.RollcallReview;
  const $ = (id) => document.getElementById(id);
  const island = $("data");
  const data = island ? JSON.parse(island.textContent) : null;
  const kit = data ? data.kit : "";
  const listeners = [];
  const keys = { events: `rollcall:${batch}:decisions`, posted: `rollcall:${batch}:posted`, order: `rollcall:${batch}:order` };
  const REFUSED = {
    unknown_headshot: "the picture is not here any more", not_in_batch: "they are not in this batch any more",
    not_yours: "your role does not reach them", bad_time: "this machine's clock is wrong", overrules: "somebody else has decided meanwhile",
  };
  const SAID = { approve: "approved", reject: "rejected", redo: "asked for a redo of", opt_out: "opted out" };

  const load = (key, otherwise) => { try { return JSON.parse(localStorage.getItem(key)) ?? otherwise; } catch { return otherwise; } };
  const save = (key, value) => {
    try { localStorage.setItem(key, JSON.stringify(value)); } catch { toast("This browser keeps nothing: export before you leave."); }
  };

  let events = load(keys.events, []);
  let posted = new Set(load(keys.posted, []));
  let refused = new Map(); /* in memory: what was refused is tried once more by every page that is opened */
  let sending = false;
  let known = false; /* whether the desk's own list is here: then it alone says what stands */
  const nameOf = (event) => [event.employee, event.headshot, event.verdict, event.at].join(" ");
  const isMine = (event) => !event.by || event.by === me;

  /* What counts for one person. A decision that the desk refused does not: the page must not show what is not so. */
  function review(person) {
    const mine = events.filter((event) => event.employee === person.id && !refused.has(nameOf(event)))
      .map((event) => ({ batch, kit: person.kit || kit, ...event }));
    return reviewOf(mine, person.pictures || guess(person, mine), person.kit || kit);
  }

  /* A wall of 2,000 people does not carry every picture: those that decisions name, and when the newest was taken. */
  function guess(person, mine) {
    const named = mine.map((event) => event.headshot).filter((one) => one && one !== person.headshot);
    const others = [...new Set(named)].map((digest) => ({ digest, takenAt: "", lane: person.lane || "generated" }));
    if (!person.headshot && !person.newest) return others;
    return [{ digest: person.headshot, takenAt: person.newest, lane: person.lane || "generated" }, ...others];
  }

  function stateOf(person) {
    const found = review(person);
    if (found.state !== "undecided") return found.state;
    /* What stood when this page was made may have been undone since. */
    const touched = known || events.some((event) => event.employee === person.id);
    return touched ? person.base : person.state;
  }

  const undecided = (person) => ["review", "attention"].includes(stateOf(person));

  function clock(at) {
    const moment = new Date(at);
    const time = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    return moment.toDateString() === new Date().toDateString() ? time : `${moment.toLocaleDateString([], { day: "numeric", month: "short" })} ${time}`;
  }

  /* "Otto approved picture 2 at 03:22" */
  function say(decision, person) {
    const who = decision.by ? (decision.by === me ? "You" : decision.by) : "You";
    const place = ((person && person.pictures && data.candidates) || []).findIndex((one) => one.digest === decision.headshot);
    const picture = decision.verdict === "opt_out" ? "" : place >= 0 ? ` picture ${place + 1}` : decision.headshot ? " a picture" : " them";
    return `${who} ${SAID[decision.verdict]}${decision.verdict === "opt_out" ? (person && person.name ? ` ${person.name}` : " them") : picture} at ${clock(decision.at)}`;
  }

  /* Whether to decide otherwise than a colleague did: asked, never assumed. */
  function askOver(decision, person) {
    $("over-text").textContent = `${say(decision, person)}${person && person.name ? ` (${person.name})` : ""}. Decide otherwise?`;
    return ask("over");
  }

  async function decide(person, headshot, verdict, note, reasons) {
    const stands = review(person).decision;
    if (desk && stands && !isMine(stands) && overrules(verdict, headshot || null, stands) && !(await askOver(stands, person))) return false;
    append({ employee: person.id, headshot, verdict, note, reasons, kit: person.kit || kit, sees: (stands && stands.id) || "" });
    return true;
  }

  function append(event) {
    /* Two presses in one millisecond are two decisions: the time is what tells them apart. */
    let at = Date.now();
    const last = events.length ? Date.parse(events[events.length - 1].at) : 0;
    if (last >= at && last < at + 1000) at = last + 1;
    const whole = { note: "", reasons: [], kit, ...event, headshot: event.headshot || null, at: new Date(at).toISOString(), by: me, batch };
    events = load(keys.events, events).concat([whole]);
    save(keys.events, events);
    changed();
    post();
  }

  /* Takes back the last thing that this reviewer said here; never what a colleague said. */
  function undo() {
    const undone = new Map();
    for (let i = events.length - 1; i >= 0; i--) {
      const event = events[i];
      if (!isMine(event) || (event.batch && event.batch !== batch) || refused.has(nameOf(event))) continue;
      const open = undone.get(event.employee) || 0;
      if (event.verdict === "undo") { undone.set(event.employee, open + 1); continue; }
      if (open > 0) { undone.set(event.employee, open - 1); continue; }
      const stands = standing(events.filter((one) => one.employee === event.employee).map((one) => ({ batch, ...one }))).pop();
      if (stands && !isMine(stands)) { toast(`${stands.by} has decided since`); return null; }
      append({ employee: event.employee, headshot: event.headshot, verdict: "undo" });
      toast("Undone");
      return event;
    }
    toast("Nothing to undo");
    return null;
  }

  async function ask(id) {
    const dialog = $(id || "ask");
    if (dialog.open) return false;
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((answer) => dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true }));
  }

  /* What is to be otherwise in new pictures: reasons that change something, and a note for colleagues. */
  async function askRedo(note, without) {
    const list = $("redo-reasons");
    list.replaceChildren(...data.reasons.filter((one) => !(without || []).includes(one.code)).map((one) => {
      const line = document.createElement("label");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value: one.code });
      line.append(box, ` ${one.name}`);
      return line;
    }));
    list.hidden = !list.children.length;
    $("redo-note").value = note || "";
    if (!(await ask("redo"))) return null;
    return { reasons: [...list.querySelectorAll("input:checked")].map((box) => box.value), note: $("redo-note").value.trim() };
  }

  async function post() {
    if (!desk || sending) return;
    const open = events.filter((event) => !posted.has(nameOf(event)) && !refused.has(nameOf(event)));
    if (!open.length) return sync();
    sending = true;
    try {
      const answer = await fetch(desk, {
        method: "POST", credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-Rollcall-Token": meta("rollcall-csrf") },
        body: JSON.stringify({ batch, decisions: open }),
      });
      if (answer.status === 401 || answer.status === 403) { sync("Signed out: reload to sign in; decisions are kept here"); return; }
      if (!answer.ok) { sync("The desk did not take them; kept here"); return; }
      const bad = new Map((await answer.json()).refused.map((one) => [one.place, one]));
      open.forEach((event, place) => {
        if (bad.has(place)) refused.set(nameOf(event), bad.get(place)); else posted.add(nameOf(event));
      });
      save(keys.posted, [...posted]);
    } catch { sync("Desk not reached; decisions are kept here"); return; } finally { sending = false; }
    await fetchAll();
    await settleOverruled();
  }

  /* Somebody else was quicker: whoever decided here says whether to decide otherwise. */
  async function settleOverruled() {
    for (const [name, refusal] of [...refused]) {
      const event = events.find((one) => nameOf(one) === name);
      if (refusal.code !== "overrules" || !event || document.querySelector("dialog[open]")) continue;
      const otherwise = await askOver(refusal.standing, personOf(event.employee));
      refused.delete(name);
      if (otherwise) event.sees = refusal.standing.id; else events = events.filter((one) => one !== event);
      save(keys.events, events);
      changed();
      if (otherwise) post();
    }
  }

  function personOf(id) {
    if (data && data.person && data.person.id === id) return data.person;
    return ((data && data.people) || []).find((person) => person.id === id) || { id, name: "" };
  }

  /* What others decided, and what this browser sent: the desk's list and ours are one list of events. */
  let asked = 0;
  async function fetchAll() {
    if (!desk) return;
    asked = Date.now();
    try {
      const answer = await fetch(desk, { credentials: "same-origin" });
      if (!answer.ok) return;
      const theirs = (await answer.json()).decisions;
      const there = new Set(theirs.map(nameOf));
      events = theirs.concat(load(keys.events, events).filter((event) => !there.has(nameOf(event)) && !posted.has(nameOf(event))));
      events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
      posted = there;
      known = true;
      save(keys.events, events);
      save(keys.posted, [...posted]);
      changed();
    } catch { sync("Desk not reached; decisions are kept here"); }
  }

  /* Whoever comes back to this page sees what colleagues did meanwhile. */
  async function refresh() {
    if (document.visibilityState !== "visible" || Date.now() - asked < 1000) return;
    await fetchAll();
    post();
  }

  function sync(text) {
    const open = events.filter((event) => !posted.has(nameOf(event))).length;
    const lost = refused.size ? `Not saved: ${refused.size}` : "";
    const plain = desk ? (events.length && !open ? "Saved" : "") : (events.length ? "Only in this browser: export and send it" : "");
    $("sync").textContent = text || lost || plain;
    $("sync").classList.toggle("bad", Boolean(text || lost));
    $("export").hidden = !events.length;
    showRefused();
  }

  function showRefused() {
    const gone = [...refused].filter(([, refusal]) => refusal.code !== "overrules");
    $("refused").hidden = !gone.length;
    if (!gone.length) return;
    const whose = gone.map(([name, refusal]) => {
      const person = personOf(name.split(" ")[0]);
      return `${person.name || "somebody"} (${REFUSED[refusal.code] || "the desk does not know this kind of decision"})`;
    });
    $("refused-text").textContent = `${gone.length === 1 ? "A decision was" : `${gone.length} decisions were`} not taken by the desk: ${[...new Set(whose)].join(", ")}. `
      + "Kept in this browser: export the file and give it to whoever looks after Rollcall, or decide once more.";
  }

  function exportFile() {
    const text = JSON.stringify({ batch, by: me, decisions: events.filter((event) => isMine(event) || !posted.has(nameOf(event))).map(({ sees, ...event }) => event) }, null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = `decisions-${batch}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  let fading = 0;
  function toast(text) {
    const line = $("toast");
    line.textContent = text;
    line.hidden = false;
    clearTimeout(fading);
    fading = setTimeout(() => { line.hidden = true; }, 2600);
  }

  function changed() { listeners.forEach((listener) => listener()); sync(); }

  /* One key, one action; never while typing, never with a modifier held. */
  function onKeys(actions) {
    document.addEventListener("keydown", (press) => {
      if (press.ctrlKey || press.metaKey || press.altKey || document.querySelector("dialog[open]")) return;
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(press.target.tagName);
      if (typing) { if (press.key === "Escape") press.target.blur(); return; }
      const action = press.key === "?" ? () => $("help").showModal() : actions[press.key.length === 1 ? press.key.toLowerCase() : press.key];
      if (action && action(press) !== false) press.preventDefault();
    });
  }

  $("export").addEventListener("click", exportFile);
  $("refused-export").addEventListener("click", exportFile);
  $("help-open").hidden = false;
  $("help-open").addEventListener("click", () => $("help").showModal());
  window.addEventListener("storage", (event) => {
    if (event.key === keys.events) { events = load(keys.events, []); changed(); }
  });
  window.addEventListener("online", post);
  window.addEventListener("focus", refresh);
  document.addEventListener("visibilitychange", refresh);
  sync();
  fetchAll().then(post);

  return {
    $, data, decide, undo, ask, askRedo, review, say, clock, stateOf, undecided, toast, onKeys,
    events: () => events.filter((event) => !refused.has(nameOf(event))), /* what was not taken was not said */
    onChange: (listener) => listeners.push(listener),
    order: () => load(keys.order, { ids: [], open: [] }), keepOrder: (ids, open) => save(keys.order, { ids, open }),
  };
})();
