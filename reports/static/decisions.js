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
  const tell = window.RollcallTell;
  const $ = (id) => document.getElementById(id);
  const island = $("data");
  const data = island ? JSON.parse(island.textContent) : null;
  const kit = data ? data.kit : "";
  const listeners = [];
  const keys = { events: `rollcall:${batch}:decisions`, posted: `rollcall:${batch}:posted`, order: `rollcall:${batch}:order`, groups: `rollcall:${batch}:groups` };
  const CHUNK = 200; /* decisions sent at once: so many that the desk keeps nobody else waiting */
  const LOOK = 1200; /* milliseconds between two looks at what colleagues did */
  const REFUSED = ["unknown_headshot", "not_in_batch", "not_yours", "bad_time", "overrules"];

  const load = (key, otherwise) => { try { return JSON.parse(localStorage.getItem(key)) ?? otherwise; } catch { return otherwise; } };
  const save = (key, value) => {
    try { localStorage.setItem(key, JSON.stringify(value)); } catch { toast(tell("script.nothing_kept")); }
  };

  let events = load(keys.events, []);
  let posted = new Set(load(keys.posted, []));
  let refused = new Map(); /* in memory: what was refused is tried once more by every page that is opened */
  let sending = false;
  let known = false; /* whether the desk's own list is here: then it alone says what stands */
  const nameOf = (event) => [event.employee, event.headshot, event.verdict, event.at].join(" ");
  const isMine = (event) => !event.by || event.by === me;

  /* Events by person, made anew when the list has changed: a wall asks for 2,000 people at every decision. */
  let index = { of: null, people: new Map() };
  function eventsOf(id) {
    if (index.of !== events) {
      index = { of: events, people: new Map() };
      for (const event of events) {
        if (!index.people.has(event.employee)) index.people.set(event.employee, []);
        index.people.get(event.employee).push(event);
      }
    }
    return index.people.get(id) || [];
  }

  /* What counts for one person. A decision that the desk refused does not: the page must not show what is not so. */
  const NOTHING = { state: "undecided", decision: null, approved: null, pictures: {} };
  const memo = new Map();
  function review(person) {
    if (index.of !== events) memo.clear();
    const key = person.pictures ? "" : person.id; /* a person's own page knows all pictures, a wall only some */
    if (key && memo.has(key)) return memo.get(key);
    const found = think(person);
    if (key) memo.set(key, found);
    return found;
  }

  function think(person) {
    const mine = eventsOf(person.id).filter((event) => !refused.has(nameOf(event)))
      .map((event) => ({ batch, kit: person.kit || kit, ...event }));
    if (!mine.length && !person.pictures) return NOTHING;
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
    const touched = known || eventsOf(person.id).length > 0;
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
    const who = decision.by && decision.by !== me ? decision.by : tell("script.you");
    const place = ((person && person.pictures && data.candidates) || []).findIndex((one) => one.digest === decision.headshot);
    const them = tell("script.them");
    const picture = place >= 0 ? tell("script.picture", { place: place + 1 }) : decision.headshot ? tell("script.a_picture") : them;
    const what = decision.verdict === "opt_out" ? (person && person.name) || them : picture;
    return tell(`script.said_${decision.verdict}`, { who, what, when: clock(decision.at) });
  }

  /* Whether to decide otherwise than a colleague did: asked, never assumed. */
  function askOver(decision, person) {
    const name = (person && person.name) || "";
    $("over-text").textContent = tell(name ? "script.over_named" : "script.over", { said: say(decision, person), name });
    return ask("over");
  }

  async function decide(person, headshot, verdict, note, reasons) {
    const stands = review(person).decision;
    if (desk && stands && !isMine(stands) && overrules(verdict, headshot || null, stands) && !(await askOver(stands, person))) return false;
    append({ employee: person.id, headshot, verdict, note, reasons, kit: person.kit || kit, sees: (stands && stands.id) || "" });
    return true;
  }

  /* Two presses in one millisecond are two decisions: the time is what tells them apart. */
  function free() {
    const last = events.length ? Date.parse(events[events.length - 1].at) : 0;
    return last >= Date.now() && last < Date.now() + 60000 ? last + 1 : Date.now();
  }

  function append(...given) {
    events = load(keys.events, events);
    let at = free();
    const made = given.map((event) => ({
      note: "", reasons: [], kit, ...event, headshot: event.headshot || null, at: new Date(at++).toISOString(), by: me, batch,
    }));
    events = events.concat(made);
    save(keys.events, events);
    changed();
    post();
    return made;
  }

  /* Many people with one press, each a decision of its own. Whom a colleague has decided about is left as it is. */
  function decideMany(people, verdict) {
    const stands = (person) => review(person).decision;
    const ours = people.filter((person) => person.headshot && (!stands(person) || isMine(stands(person))));
    const asked = ours.map((person) => ({
      employee: person.id, headshot: person.headshot, verdict, kit: person.kit || kit, sees: (stands(person) || {}).id || "",
    }));
    if (asked.length) save(keys.groups, [...load(keys.groups, []).slice(-19), append(...asked).map(nameOf)]);
    return { made: asked.length, left: people.length - ours.length };
  }

  /* Takes back the last thing that this reviewer said here, whole if it was said of many; never what a colleague said. */
  function undo() {
    const undone = new Map();
    for (let i = events.length - 1; i >= 0; i--) {
      const event = events[i];
      if (!isMine(event) || (event.batch && event.batch !== batch) || refused.has(nameOf(event))) continue;
      const open = undone.get(event.employee) || 0;
      if (event.verdict === "undo") { undone.set(event.employee, open + 1); continue; }
      if (open > 0) { undone.set(event.employee, open - 1); continue; }
      const group = new Set(load(keys.groups, []).find((names) => names.includes(nameOf(event))) || [nameOf(event)]);
      const back = events.filter((one) => group.has(nameOf(one)) && nameOf(newest(one.employee)) === nameOf(one));
      if (!back.length) { toast(tell("script.since", { who: (newest(event.employee) || {}).by || tell("script.someone") })); return null; }
      append(...back.map((one) => ({ employee: one.employee, headshot: one.headshot, kit: one.kit || kit, verdict: "undo" })));
      toast(back.length > 1 ? tell("script.undone_people", back.length) : tell("script.undone"));
      return event;
    }
    toast(tell("script.nothing_to_undo"));
    return null;
  }

  function newest(id) {
    return standing(eventsOf(id).map((one) => ({ batch, ...one }))).pop() || { employee: id };
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
    const waiting = () => events.filter((event) => !posted.has(nameOf(event)) && !refused.has(nameOf(event)));
    if (!waiting().length) return sync();
    sending = true;
    try {
      for (let all = waiting(); all.length; all = waiting()) {
        const open = all.slice(0, CHUNK);
        if (all.length > CHUNK) sync(tell("script.saving", all.length), true);
        const answer = await fetch(desk, {
          method: "POST", credentials: "same-origin",
          headers: { "Content-Type": "application/json", "X-Rollcall-Token": meta("rollcall-csrf") },
          body: JSON.stringify({ batch, decisions: open }),
        });
        if (answer.status === 401 || answer.status === 403) { signedOut(); return; }
        if (!answer.ok) { sync(tell("script.not_taken")); return; }
        const bad = new Map((await answer.json()).refused.map((one) => [one.place, one]));
        open.forEach((event, place) => {
          if (bad.has(place)) refused.set(nameOf(event), bad.get(place)); else posted.add(nameOf(event));
        });
        memo.clear();
        save(keys.posted, [...posted]);
      }
    } catch { sync(tell("script.not_reached")); return; } finally { sending = false; }
    await fetchAll();
    await settleOverruled();
  }

  /* The way back in leads to this page again, and what was decided meanwhile is sent from here. */
  function signedOut() {
    out = true;
    $("sign-in").href = `/login?${new URLSearchParams({ to: location.pathname })}`;
    $("sign-in").hidden = false;
    sync(tell("script.signed_out"));
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
  let asked = 0, seen = "", out = false, lost = false;
  async function fetchAll(looking) {
    if (!desk) return;
    asked = Date.now();
    try {
      /* A look by the clock is no sign of life: a page that is left open does not keep anybody signed in. */
      const headers = looking ? { "If-None-Match": seen, "X-Rollcall-Look": "yes" } : {};
      const answer = await fetch(desk, { credentials: "same-origin", cache: "no-store", headers });
      if (answer.status === 401) { signedOut(); return; }
      if (lost) { lost = false; setTimeout(post); }
      if (answer.status === 304 || !answer.ok) return;
      seen = answer.headers.get("ETag") || "";
      const theirs = (await answer.json()).decisions;
      const there = new Set(theirs.map(nameOf));
      events = theirs.concat(load(keys.events, events).filter((event) => !there.has(nameOf(event)) && !posted.has(nameOf(event))));
      events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
      posted = there;
      known = true;
      save(keys.events, events);
      save(keys.posted, [...posted]);
      changed();
    } catch { lost = true; sync(tell("script.not_reached")); }
  }

  /* What colleagues decide is here within two seconds, while somebody looks at this page. */
  function look() {
    if (!out && !sending && document.visibilityState === "visible" && Date.now() - asked >= LOOK) fetchAll(true);
  }

  /* Whoever comes back to this page sees what colleagues did meanwhile. */
  async function refresh() {
    if (out || document.visibilityState !== "visible" || Date.now() - asked < 1000) return;
    await fetchAll();
    post();
  }

  function sync(text, fine) {
    const open = events.filter((event) => !posted.has(nameOf(event))).length;
    const gone = refused.size ? tell("script.not_saved", refused.size) : "";
    const plain = desk ? (events.length && !open ? tell("script.saved") : "") : (events.length ? tell("script.only_here") : "");
    $("sync").textContent = text || gone || plain;
    $("sync").classList.toggle("bad", Boolean((text && !fine) || gone));
    $("export").hidden = !events.length;
    showRefused();
  }

  function showRefused() {
    const gone = [...refused].filter(([, refusal]) => refusal.code !== "overrules");
    $("refused").hidden = !gone.length;
    if (!gone.length) return;
    const whose = gone.map(([name, refusal]) => {
      const person = personOf(name.split(" ")[0]);
      const why = tell(`script.refused_${REFUSED.includes(refusal.code) ? refusal.code : "other"}`);
      return `${person.name || tell("script.somebody")} (${why})`;
    });
    const said = tell("script.refused", gone.length, { whose: [...new Set(whose)].join(", ") });
    $("refused-text").textContent = `${said} ${tell("script.refused_detail")}`;
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

  function changed() { memo.clear(); listeners.forEach((listener) => listener()); sync(); }

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
  if (desk) setInterval(look, LOOK / 3);

  return {
    $, data, batch, decide, decideMany, undo, ask, askRedo, review, say, clock, stateOf, undecided, toast, onKeys,
    events: () => events.filter((event) => !refused.has(nameOf(event))), /* what was not taken was not said */
    onChange: (listener) => listeners.push(listener),
    order: () => load(keys.order, { ids: [], open: [] }), keepOrder: (ids, open) => save(keys.order, { ids, open }),
  };
})();
