/* The team wall: filters, search, sort and pages over one list of small records; only one page of cards is ever drawn. */
"use strict";
(function () {
  const { $, data, batch, decide, decideMany, undo, ask, askRedo, review, clock, stateOf, undecided, toast, onKeys, onChange, keepOrder } = window.Rollcall;
  const tell = window.RollcallTell;
  if (window.RollcallPieces) data.people = window.RollcallPieces;
  const people = data.people.map((person, place) => ({ ...person, place }));
  const byId = new Map(people.map((person) => [person.id, person]));
  const view = { state: "", department: "", problem: "", search: "", sort: "attention", page: 0 };
  let shown = [];
  let current = -1;

  /* Where somebody was, over going back, a reload and signing in again; this tab's alone. */
  const place = `rollcall:${batch}:wall`;
  let kept = {};
  try { kept = JSON.parse(sessionStorage.getItem(place)) || {}; } catch { /* the tab remembers nothing */ }
  for (const key of Object.keys(view)) if (typeof kept[key] === typeof view[key]) view[key] = kept[key];
  function remember() {
    const here = shown[current] ? shown[current].id : "";
    order();
    try { sessionStorage.setItem(place, JSON.stringify({ ...view, here, top: scrollY, chosen: [...chosen] })); } catch { /* full */ }
  }

  function fold(text) { return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase(); }

  const alphabet = new Intl.Collator();
  const byName = (a, b) => alphabet.compare(a.name, b.name);
  const rank = (person) => URGENT.indexOf(stateOf(person));
  const hasPicture = (a, b) => Number(!a.thumb) - Number(!b.thumb);
  const URGENT = ["attention", "redo", "rejected", "failed", "review", "waiting", "blocked", "opted_out", "approved"];
  const SORTS = {
    name: (a, b) => hasPicture(a, b) || byName(a, b),
    roster: (a, b) => a.place - b.place,
    department: (a, b) => alphabet.compare(a.department, b.department) || hasPicture(a, b) || byName(a, b),
    likeness: (a, b) => hasPicture(a, b) || (a.likeness ?? 2) - (b.likeness ?? 2) || byName(a, b),
    attention: (a, b) => a.rank - b.rank || byName(a, b),
  };

  function find() {
    const terms = fold(view.search).split(/\s+/).filter(Boolean);
    shown = people.filter((person) =>
      (!view.state || stateOf(person) === view.state) &&
      (!view.department || person.department === view.department) &&
      (!view.problem || person.problems.includes(view.problem)) &&
      terms.every((term) => wordsOf(person).includes(term)));
    if (view.sort === "attention") for (const person of shown) person.rank = rank(person);
    shown.sort(SORTS[view.sort] || SORTS.attention);
    setTimeout(order); /* pictures first */
  }

  function order() {
    keepOrder(shown.map((person) => person.id), shown.filter(open).map((person) => person.id));
  }

  function wordsOf(person) {
    person.words = person.words || fold([person.name, person.title, person.department, person.number].join(" "));
    return person.words;
  }

  const pages = () => Math.max(1, Math.ceil(shown.length / data.perPage));
  const onPage = () => shown.slice(view.page * data.perPage, (view.page + 1) * data.perPage);

  function draw() {
    view.page = Math.min(view.page, pages() - 1);
    const cards = onPage();
    $("wall").replaceChildren(...cards.map(card));
    for (const picture of [...$("wall").querySelectorAll("img")].slice(0, 12)) picture.loading = "eager";
    $("empty").hidden = cards.length > 0;
    $("pager").hidden = pages() === 1;
    $("page-text").textContent = tell("script.page", { page: view.page + 1, pages: pages() });
    $("page-before").disabled = view.page === 0;
    $("page-after").disabled = view.page === pages() - 1;
    $("result").textContent = tell("script.people", shown.length);
    count();
  }

  function card(person) {
    const item = $("card").content.firstElementChild.cloneNode(true);
    const href = `people/${person.id}.html`;
    const [portrait, name] = item.querySelectorAll("a");
    const picture = item.querySelector("img");
    item.dataset.id = person.id;
    portrait.href = name.href = href;
    if (person.thumb) {
      picture.width = person.thumb.width;
      picture.height = person.thumb.height;
      picture.src = person.thumb.src;
      item.querySelector(".tile").remove();
      if (person.lane !== "generated") item.querySelector(".ai").textContent = tell("script.real_photo");
    } else {
      picture.remove();
      item.querySelector(".ai").remove();
      item.querySelector(".tile").textContent = initials(person.name);
    }
    portrait.setAttribute("aria-label", tell("script.open", { name: person.name }));
    name.textContent = person.name || tell("script.no_name");
    item.querySelector(".role").textContent = person.title;
    item.querySelector(".dept").textContent = person.department;
    item.querySelector(".why").textContent = person.note;
    for (const button of item.querySelectorAll("[data-verdict]")) {
      button.setAttribute("aria-label", tell(`script.${button.dataset.verdict}`, { name: person.name }));
      if (!person.headshot) button.remove();
    }
    const box = item.querySelector(".choose");
    if (person.headshot) box.querySelector(".sr").textContent = tell("script.choose", { name: person.name }); else box.remove();
    mark(item, person);
    return item;
  }

  function mark(item, person) {
    const state = stateOf(person);
    const chip = item.querySelector(".chip");
    chip.className = `chip ${state}`;
    chip.textContent = data.states[state] || state;
    item.dataset.state = state;
    item.classList.toggle("chosen", chosen.has(person.id));
    const box = item.querySelector(".choose input");
    if (box) box.checked = chosen.has(person.id);
    const decision = review(person).decision;
    item.querySelector(".by").textContent = decision && decision.by ? `${decision.by}, ${clock(decision.at)}` : "";
  }

  function initials(name) {
    const parts = name.split(/\s+/).filter((part) => /^\p{L}/u.test(part));
    return (parts.length > 1 ? [parts[0], parts[parts.length - 1]] : parts).map((part) => [...part][0]).join("").toUpperCase() || "·";
  }

  /* Numbers on the segments, and how far the review has come. */
  function count() {
    const counts = {};
    let open = 0;
    let total = 0;
    let redos = 0;
    for (const person of people) {
      const state = stateOf(person);
      counts[state] = (counts[state] || 0) + 1;
      if (person.headshot) { total += 1; if (undecided(person)) open += 1; if (state === "redo") redos += 1; }
    }
    for (const button of $("segments").children) {
      const state = button.dataset.state;
      if (!state) continue;
      button.hidden = !counts[state] && view.state !== state;
      button.querySelector("span").textContent = counts[state] || 0;
    }
    $("progress").hidden = !total;
    $("progress").querySelector("progress").value = total ? (total - open - redos) / total : 0;
    const so_far = { done: total - open - redos, all: total };
    $("progress").querySelector("span").textContent = redos ? tell("script.reviewed_redos", redos, so_far)
      : tell(open ? "script.reviewed" : "script.all_reviewed", so_far);
  }

  /* Choosing many: only who has a picture and is not decided yet, so that nothing is decided twice by mistake. */
  const chosen = new Set((Array.isArray(kept.chosen) ? kept.chosen : []).filter((id) => byId.has(id)));
  const open = (person) => Boolean(person && person.headshot && undecided(person));
  const clear = () => shown.filter((person) => open(person) && person.clear);

  function choose(list, on) {
    for (const person of list) if (on && open(person)) chosen.add(person.id); else chosen.delete(person.id);
    mend();
  }

  function mend() {
    for (const id of chosen) if (!open(byId.get(id))) chosen.delete(id);
    for (const item of $("wall").children) mark(item, byId.get(item.dataset.id));
    $("chosen").hidden = !chosen.size && $("undo-chosen").hidden;
    if (!chosen.size && !$("undo-chosen").hidden) return free();
    $("undo-chosen").hidden = true;
    for (const one of ["approve-chosen", "choose-none"]) $(one).hidden = false;
    $("chosen-count").textContent = chosen.size ? tell("script.chosen", chosen.size) : "";
    $("approve-chosen").textContent = tell("script.approve_chosen", chosen.size);
    free();
  }

  /* Who can be chosen at once. */
  function free() {
    const without = clear(), all = shown.filter(open);
    $("choose-clear").hidden = !without.length;
    $("choose-clear").textContent = tell("script.choose_clear", without.length);
    $("choose-shown").hidden = !all.length || all.length === without.length;
    $("choose-shown").textContent = tell("script.choose_shown", all.length);
  }

  function row() {
    const wide = columns();
    const first = current - ((current % data.perPage) % wide);
    return shown.slice(first, Math.min(first + wide, (view.page + 1) * data.perPage));
  }

  function approveChosen() {
    const list = [...chosen].map((id) => byId.get(id)).filter(open);
    if (!list.length) { toast(tell("script.choose_first")); return; }
    chosen.clear();
    const { made, left } = decideMany(list, "approve");
    mend();
    const approved = tell("script.approved", made);
    if (made) {
      $("chosen").hidden = false;
      $("chosen-count").textContent = approved;
      for (const one of ["approve-chosen", "choose-none"]) $(one).hidden = true;
      $("undo-chosen").hidden = false;
    }
    toast(left ? tell("script.approved_left", left, { approved }) : tell("script.approved_back", { approved }));
  }

  function takeBack() {
    $("undo-chosen").hidden = true;
    undo();
    mend();
  }

  function change(key, value) {
    view[key] = value;
    view.page = 0;
    current = -1;
    for (const button of $("segments").children) button.setAttribute("aria-pressed", String(button.dataset.state === view.state));
    find();
    draw();
    mend();
  }

  function focus(place) {
    if (!shown.length) return;
    current = Math.max(0, Math.min(place, shown.length - 1));
    const page = Math.floor(current / data.perPage);
    if (page !== view.page) { view.page = page; draw(); }
    const item = $("wall").children[current % data.perPage];
    for (const other of $("wall").querySelectorAll(".current")) other.classList.remove("current");
    item.classList.add("current");
    item.querySelector(".name").focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }

  async function judge(person, verdict) {
    if (!person) { toast(tell("script.pick_somebody")); return; }
    if (!person.headshot && verdict !== "opt_out") { toast(tell("script.no_picture")); return; }
    if (verdict === "opt_out" && !(await ask())) return;
    /* Whether their photos show glasses is known on their own page. */
    const wish = verdict === "redo" ? await askRedo("", ["glasses"]) : {};
    if (wish && (await decide(person, person.headshot, verdict, wish.note, wish.reasons))) toast(tell(`verdict.${verdict}`));
  }

  function next() {
    for (let step = 1; step <= shown.length; step++) {
      const place = (current + step) % shown.length;
      if (undecided(shown[place]) && shown[place].headshot) return focus(place);
    }
    toast(tell("script.all_here_decided"));
  }

  const columns = () => {
    const cards = [...$("wall").children];
    const below = cards.findIndex((item) => item.offsetTop > cards[0].offsetTop);
    return below < 0 ? cards.length : below;
  };
  const here = (verdict) => () => judge(shown[current], verdict);
  onKeys({
    j: () => focus(current + 1), ArrowRight: () => focus(current + 1), k: () => focus(current - 1), ArrowLeft: () => focus(current - 1),
    ArrowDown: () => focus(current < 0 ? 0 : current + columns()), ArrowUp: () => focus(current - columns()),
    a: here("approve"), r: here("reject"), d: here("redo"), o: here("opt_out"), n: next, u: takeBack,
    "/": () => $("search").focus(),
    x: (press) => {
      const list = press.shiftKey ? row() : [shown[current]].filter(Boolean);
      if (list.length) choose(list, !list.filter(open).every((person) => chosen.has(person.id))); else toast(tell("script.pick_somebody"));
    },
    c: () => choose(clear(), true), y: approveChosen, Escape: () => (chosen.size ? choose([...chosen].map((id) => byId.get(id)), false) : false),
  });

  let from = -1; /* where a range begins */
  $("wall").addEventListener("click", (event) => {
    const box = event.target.closest(".choose input");
    if (!box) return;
    const at = shown.findIndex((person) => person.id === box.closest(".card").dataset.id);
    const range = event.shiftKey && from >= 0 ? shown.slice(Math.min(from, at), Math.max(from, at) + 1) : [shown[at]];
    from = at;
    choose(range, box.checked);
  });
  $("choose-clear").addEventListener("click", () => choose(clear(), true));
  $("choose-shown").addEventListener("click", () => choose(shown.filter(open), true));
  $("choose-none").addEventListener("click", () => choose([...chosen].map((id) => byId.get(id)), false));
  $("approve-chosen").addEventListener("click", approveChosen);
  $("undo-chosen").addEventListener("click", takeBack);
  addEventListener("pagehide", remember);
  addEventListener("beforeunload", remember);

  $("wall").addEventListener("click", (event) => {
    const button = event.target.closest("[data-verdict]");
    if (button) judge(byId.get(button.closest(".card").dataset.id), button.dataset.verdict);
  });
  $("wall").addEventListener("focusin", (event) => {
    const item = event.target.closest(".card");
    if (item) current = view.page * data.perPage + [...$("wall").children].indexOf(item);
  });
  $("segments").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) change("state", button.dataset.state);
  });
  for (const key of ["department", "problem", "sort"]) $(key).addEventListener("change", () => change(key, $(key).value));
  $("search").addEventListener("input", () => change("search", $("search").value));
  $("clear").addEventListener("click", () => {
    for (const key of ["department", "problem", "search"]) { $(key).value = ""; view[key] = ""; }
    change("state", "");
  });
  $("page-before").addEventListener("click", () => { view.page -= 1; draw(); scrollTo(0, 0); });
  $("page-after").addEventListener("click", () => { view.page += 1; draw(); scrollTo(0, 0); });
  onChange(() => { mend(); count(); });

  const option = (value, text) => { const made = document.createElement("option"); made.value = value; made.textContent = text; return made; };
  $("department").append(...[...new Set(people.map((person) => person.department))].filter(Boolean).sort().map((name) => option(name, name)));
  $("problem").append(...Object.entries(data.problems).map(([code, name]) => option(code, name)));
  $("controls").hidden = false;
  for (const key of ["department", "problem", "search", "sort"]) $(key).value = view[key];
  for (const button of $("segments").children) button.setAttribute("aria-pressed", String(button.dataset.state === view.state));
  find();
  draw();
  mend();
  if (data.pieces && window.RollcallArrived < data.pieces) toast(tell("script.incomplete"));
  const was = shown.findIndex((person) => person.id === kept.here);
  if (was >= 0) focus(was);
  if (kept.top) scrollTo(0, kept.top);
})();
