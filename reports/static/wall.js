/* The team wall: filters, search, sort and pages over one list of small records; only one page of cards is ever drawn. */
"use strict";
(function () {
  const { $, data, decide, undo, ask, askRedo, review, clock, stateOf, undecided, toast, onKeys, onChange, keepOrder } = window.Rollcall;
  const DONE = { approve: "Approved", reject: "Rejected", redo: "Redo asked", opt_out: "Opted out" };
  const people = data.people.map((person, place) => ({
    ...person, place, words: fold([person.name, person.title, person.department, person.number].join(" ")),
  }));
  const view = { state: "", department: "", problem: "", search: "", sort: "name", page: 0 };
  let shown = [];
  let current = -1;

  function fold(text) { return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase(); }

  const byName = (a, b) => a.name.localeCompare(b.name);
  const hasPicture = (a, b) => Number(!a.thumb) - Number(!b.thumb);
  const URGENT = ["attention", "redo", "rejected", "failed", "review", "waiting", "blocked", "opted_out", "approved"];
  const SORTS = {
    name: (a, b) => hasPicture(a, b) || byName(a, b),
    roster: (a, b) => a.place - b.place,
    department: (a, b) => a.department.localeCompare(b.department) || hasPicture(a, b) || byName(a, b),
    likeness: (a, b) => hasPicture(a, b) || (a.likeness ?? 2) - (b.likeness ?? 2) || byName(a, b),
    attention: (a, b) => URGENT.indexOf(stateOf(a)) - URGENT.indexOf(stateOf(b)) || byName(a, b),
  };

  function find() {
    const terms = fold(view.search).split(/\s+/).filter(Boolean);
    shown = people.filter((person) =>
      (!view.state || stateOf(person) === view.state) &&
      (!view.department || person.department === view.department) &&
      (!view.problem || person.problems.includes(view.problem)) &&
      terms.every((term) => person.words.includes(term)));
    shown.sort(SORTS[view.sort]);
    keepOrder(shown.map((person) => person.id), shown.filter((person) => person.headshot && undecided(person)).map((person) => person.id));
  }

  const pages = () => Math.max(1, Math.ceil(shown.length / data.perPage));
  const onPage = () => shown.slice(view.page * data.perPage, (view.page + 1) * data.perPage);

  function draw() {
    view.page = Math.min(view.page, pages() - 1);
    const cards = onPage();
    $("wall").replaceChildren(...cards.map(card));
    $("empty").hidden = cards.length > 0;
    $("pager").hidden = pages() === 1;
    $("page-text").textContent = `Page ${view.page + 1} of ${pages()}`;
    $("page-before").disabled = view.page === 0;
    $("page-after").disabled = view.page === pages() - 1;
    $("result").textContent = `${shown.length} ${shown.length === 1 ? "person" : "people"}`;
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
      if (person.lane !== "generated") item.querySelector(".ai").textContent = "Real photo";
    } else {
      picture.remove();
      item.querySelector(".ai").remove();
      item.querySelector(".tile").textContent = initials(person.name);
    }
    portrait.setAttribute("aria-label", `Open ${person.name}`);
    name.textContent = person.name || "No name in the roster";
    item.querySelector(".role").textContent = person.title;
    item.querySelector(".dept").textContent = person.department;
    item.querySelector(".why").textContent = person.note;
    for (const button of item.querySelectorAll("[data-verdict]")) {
      button.setAttribute("aria-label", `${{ approve: "Approve", reject: "Reject", redo: "Redo" }[button.dataset.verdict]} ${person.name}`);
      if (!person.headshot) button.remove();
    }
    mark(item, person);
    return item;
  }

  function mark(item, person) {
    const state = stateOf(person);
    const chip = item.querySelector(".chip");
    chip.className = `chip ${state}`;
    chip.textContent = data.states[state] || state;
    item.dataset.state = state;
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
    $("progress").querySelector("span").textContent = open || redos
      ? `${total - open - redos} of ${total} reviewed${redos ? `, ${redos} ${redos === 1 ? "waits" : "wait"} for new pictures` : ""}` : "Everybody is reviewed";
  }

  function change(key, value) {
    view[key] = value;
    view.page = 0;
    current = -1;
    for (const button of $("segments").children) button.setAttribute("aria-pressed", String(button.dataset.state === view.state));
    find();
    draw();
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
    if (!person) { toast("Pick somebody first: J"); return; }
    if (!person.headshot && verdict !== "opt_out") { toast("There is no picture to judge"); return; }
    if (verdict === "opt_out" && !(await ask())) return;
    /* Whether their photos show glasses is known on their own page. */
    const wish = verdict === "redo" ? await askRedo("", ["glasses"]) : {};
    if (wish && (await decide(person, person.headshot, verdict, wish.note, wish.reasons))) toast(DONE[verdict]);
  }

  function next() {
    for (let step = 1; step <= shown.length; step++) {
      const place = (current + step) % shown.length;
      if (undecided(shown[place]) && shown[place].headshot) return focus(place);
    }
    toast("Everybody here is decided");
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
    a: here("approve"), r: here("reject"), d: here("redo"), o: here("opt_out"), n: next, u: () => { undo(); },
    "/": () => $("search").focus(),
  });

  $("wall").addEventListener("click", (event) => {
    const button = event.target.closest("[data-verdict]");
    if (button) judge(people.find((person) => person.id === button.closest(".card").dataset.id), button.dataset.verdict);
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
  onChange(() => {
    for (const item of $("wall").children) mark(item, people.find((person) => person.id === item.dataset.id));
    count();
  });

  const option = (value, text) => { const made = document.createElement("option"); made.value = value; made.textContent = text; return made; };
  $("department").append(...[...new Set(people.map((person) => person.department))].filter(Boolean).sort().map((name) => option(name, name)));
  $("problem").append(...Object.entries(data.problems).map(([code, name]) => option(code, name)));
  $("controls").hidden = false;
  find();
  draw();
})();
