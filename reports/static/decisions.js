/* Decisions: kept per batch in this browser, exported as a file, and posted to the review desk when it serves the page.
   A decision is an event {employee, headshot, verdict, note, at}; "undo" is one too, so nothing is ever rewritten. */
"use strict";
window.Rollcall = (function () {
  const batch = document.querySelector('meta[name="rollcall-batch"]').content;
  const meta = (name) => { const tag = document.querySelector(`meta[name="${name}"]`); return tag ? tag.content : ""; };
  const desk = location.protocol.startsWith("http") ? meta("rollcall-desk") : "";
  const $ = (id) => document.getElementById(id);
  const island = $("data");
  const data = island ? JSON.parse(island.textContent) : null;
  const listeners = [];
  const keys = { events: `rollcall:${batch}:decisions`, posted: `rollcall:${batch}:posted`, order: `rollcall:${batch}:order` };

  const load = (key, otherwise) => { try { return JSON.parse(localStorage.getItem(key)) ?? otherwise; } catch { return otherwise; } };
  const save = (key, value) => {
    try { localStorage.setItem(key, JSON.stringify(value)); } catch { toast("This browser keeps nothing: export before you leave."); }
  };

  let events = load(keys.events, []);
  let posted = new Set(load(keys.posted, []));
  let sending = false;
  const nameOf = (event) => [event.employee, event.headshot, event.verdict, event.at].join(" ");

  /* The decision that counts for one person: undone ones and those answered by newer pictures do not. */
  function standing(employee, newest) {
    const stack = [];
    for (const event of events) {
      if (event.employee !== employee) continue;
      if (event.verdict === "undo") stack.pop(); else stack.push(event);
    }
    const last = stack[stack.length - 1];
    if (!last) return null;
    const answered = (last.verdict === "redo" || last.verdict === "reject") && newest && newest > last.at;
    return answered ? null : last;
  }

  const STATE = { approve: "approved", reject: "rejected", redo: "redo", opt_out: "opted_out" };
  function stateOf(person) {
    const decision = standing(person.id, person.newest);
    if (decision) return STATE[decision.verdict];
    /* What stood when this page was made may have been undone since. */
    const undone = events.some((event) => event.employee === person.id && event.verdict === "undo");
    const decided = Object.values(STATE).includes(person.state);
    return undone && decided ? "review" : person.state;
  }

  const undecided = (person) => ["review", "attention"].includes(stateOf(person));

  function decide(employee, headshot, verdict, note) {
    /* Two presses in one millisecond are two decisions: the time is what tells them apart. */
    let at = new Date();
    if (events.length && events[events.length - 1].at >= at.toISOString()) at = new Date(Date.parse(events[events.length - 1].at) + 1);
    events = load(keys.events, events).concat([{ employee, headshot: headshot || null, verdict, note: note || "", at: at.toISOString() }]);
    save(keys.events, events);
    changed();
    post();
  }

  function undo() {
    const undone = new Map();
    for (let i = events.length - 1; i >= 0; i--) {
      const event = events[i];
      const open = undone.get(event.employee) || 0;
      if (event.verdict === "undo") undone.set(event.employee, open + 1);
      else if (open > 0) undone.set(event.employee, open - 1);
      else { decide(event.employee, event.headshot, "undo"); toast("Undone"); return event; }
    }
    toast("Nothing to undo");
    return null;
  }

  async function ask() {
    const dialog = $("ask");
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((answer) => dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true }));
  }

  async function post() {
    if (!desk || sending) return;
    const open = events.filter((event) => !posted.has(nameOf(event)));
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
      open.forEach((event) => posted.add(nameOf(event)));
      save(keys.posted, [...posted]);
      sending = false;
      return post();
    } catch { sync("Desk not reached; decisions are kept here"); } finally { sending = false; }
  }

  /* What others decided, and what this browser sent: the desk's list and ours are one list of events. */
  async function fetchAll() {
    if (!desk) return;
    try {
      const answer = await fetch(desk, { credentials: "same-origin" });
      if (!answer.ok) return;
      const theirs = (await answer.json()).decisions;
      const known = new Set(theirs.map(nameOf));
      events = theirs.concat(events.filter((event) => !known.has(nameOf(event)) && !posted.has(nameOf(event))));
      events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
      posted = known;
      save(keys.events, events);
      save(keys.posted, [...posted]);
      changed();
    } catch { sync("Desk not reached; decisions are kept here"); }
    post();
  }

  function sync(text) {
    const open = events.filter((event) => !posted.has(nameOf(event))).length;
    $("sync").textContent = text || (desk ? (events.length && !open ? "Saved" : "") : "");
    $("sync").classList.toggle("bad", Boolean(text));
    $("export").hidden = !events.length;
  }

  function exportFile() {
    const text = JSON.stringify({ batch, by: "", decisions: events }, null, 1);
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
  $("help-open").hidden = false;
  $("help-open").addEventListener("click", () => $("help").showModal());
  window.addEventListener("storage", (event) => {
    if (event.key === keys.events) { events = load(keys.events, []); changed(); }
  });
  window.addEventListener("online", post);
  sync();
  fetchAll();

  return {
    $, data, decide, undo, ask, stateOf, standing, undecided, toast, onKeys,
    onChange: (listener) => listeners.push(listener),
    order: () => load(keys.order, { ids: [], open: [] }), keepOrder: (ids, open) => save(keys.order, { ids, open }),
  };
})();
