/* Sends an upload in parts, so that a cut costs seconds and not the whole of it: files a few at a time, each from where
   it stopped; whoever is signed out meanwhile signs in elsewhere, and it goes on. Without this script the form sends
   everything at once, as forms do. */
"use strict";
(function () {
  const tell = window.RollcallTell;
  const AT_ONCE = 3;
  const LONGEST_WAIT = 30; // seconds between two tries
  const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

  function begin(form) {
    const token = form.elements.token; /* of the session; another one once somebody has signed in anew */
    const button = form.querySelector("button");
    const box = document.createElement("div");
    box.className = "progress-box";
    const bar = Object.assign(document.createElement("progress"), { className: "wide-progress", max: 1, value: 0 });
    const words = Object.assign(document.createElement("p"), { className: "soft" });
    bar.setAttribute("aria-label", tell("script.upload"));
    words.setAttribute("role", "status");
    box.append(bar, words);
    button.before(box);
    button.disabled = true;
    const started = Date.now();
    let total = 0, sent = 0, moved = 0, whole = 0, count = 0;
    let waiting = null; /* for somebody to sign in again */

    function show(note) {
      bar.value = total ? sent / total : 1;
      if (waiting) return; /* the way to sign in stands there */
      const rate = moved / Math.max(1, (Date.now() - started) / 1000);
      const left = rate ? Math.round((total - sent) / rate / 60) : 0;
      const how = { whole, count, sent: size(sent), total: size(total) };
      words.textContent = note || (left ? tell("script.sent_left", left, how) : tell("script.sent", how));
    }

    function size(bytes) {
      return bytes > 2 ** 30 ? tell("script.gigabytes", { number: (bytes / 2 ** 30).toFixed(1) })
        : tell("script.megabytes", { number: Math.ceil(bytes / 2 ** 20) });
    }

    /* Tries until it is answered: the network comes back by itself. What the server refuses ends the upload. */
    async function ask(address, options) {
      for (let wait = 1; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
        try {
          const answer = await fetch(address, options);
          if (answer.status < 500) return answer;
        } catch { /* no connection: tried again below */ }
        show(tell("script.lost"));
        await sleep(wait);
      }
    }

    /* Waits until somebody is signed in again, in another window: what was chosen here would be lost by leaving. */
    async function signedIn() {
      for (let asked = 0; ; asked += 1) {
        const answer = await ask("/token");
        if (answer.ok) {
          token.value = (await answer.json()).token;
          return;
        }
        if (asked === 0) sayLogin();
        await sleep(2);
      }
    }

    function sayLogin() {
      const link = Object.assign(document.createElement("a"), { href: "/login", target: "_blank" });
      link.textContent = tell("script.sign_in");
      words.replaceChildren(`${tell("script.signed_out_here")} `, link);
    }

    /* `made`: makes the request, since another try may have to carry another session's token. */
    async function answered(address, made = () => undefined) {
      for (let again = false; ; again = true) {
        const carried = token.value;
        const answer = await ask(address, made());
        if (answer.status === 401 || (answer.status === 403 && !again)) {
          waiting ??= signedIn().finally(() => { waiting = null; });
          await waiting;
          if (answer.status === 401 || token.value !== carried) continue;
        }
        const content = await answer.json().catch(() => ({}));
        if (!answer.ok && answer.status !== 409) {
          const why = typeof content.error === "string" && content.error !== "role" ? content.error : "";
          throw new Error(why || tell("script.upload_refused"));
        }
        return content;
      }
    }

    const post = (address, body) =>
      answered(address, () => ({ method: "POST", body, headers: { "X-Rollcall-Token": token.value } }));

    const tables = (...names) => () => {
      const body = new FormData();
      body.append("token", token.value);
      for (const name of names) {
        if (form.elements[name]?.files.length) body.append(name, form.elements[name].files[0]);
      }
      return { method: "POST", body, headers: { "X-Rollcall-Parts": "yes" } };
    };

    async function sendFile(drop, file, name, most) {
      const query = new URLSearchParams({ name, size: file.size, stamp: file.lastModified });
      const address = `/drops/${drop}/parts?${query}`;
      let here = (await answered(address)).have;
      sent += here;
      while (here < file.size || (file.size === 0 && here === 0)) {
        const next = (await post(`${address}&at=${here}`, file.slice(here, here + most))).have;
        sent += next - here;
        moved += Math.max(0, next - here);
        here = next;
        show();
        if (file.size === 0) break;
      }
      whole += 1;
      show();
    }

    /* Before the first byte: what does not fit is not begun. An archive lies here twice while it is unpacked. */
    function mustFit(files) {
      const room = Number(form.dataset.room || 0);
      const needs = files.reduce((sum, file) => sum + file.size * (/\.zip$/i.test(file.name) ? 2 : 1), 0);
      if (room && needs > room) throw new Error(tell("script.no_room", { needs: size(needs), room: size(room) }));
    }

    const stay = (event) => event.preventDefault(); /* closing the page asks first */
    addEventListener("beforeunload", stay);

    async function send() {
      const chosen = [...form.querySelectorAll("input[name=photos]")].flatMap((input) => [...input.files]);
      mustFit(chosen);
      count = chosen.length;
      total = chosen.reduce((sum, file) => sum + file.size, 0);
      show();
      let drop = form.dataset.drop;
      if (drop) {
        for (const name of ["roster", "consents"]) {
          if (!form.elements[name]?.files.length) continue;
          await answered(`/drops/${drop}/more`, tables(name)).catch(() => {
            throw new Error(tell("script.table_refused"));
          });
        }
      } else {
        drop = (await answered("/drops", tables("roster", "consents"))).drop;
        form.dataset.drop = drop;
      }
      const most = (await post(`/drops/${drop}/begin`)).part;
      const paths = chosen.map((file) => (file.webkitRelativePath || file.name).split("/"));
      const tops = new Set(paths.filter((path) => path.length > 2).map((path) => path[0]));
      for (const top of [...tops]) {
        if ((await answered(`/drops/${drop}/wrapping?${new URLSearchParams({ name: top })}`)).somebodys) tops.delete(top);
      }
      const queue = chosen.map((file, i) => [file, (tops.has(paths[i][0]) ? paths[i].slice(1) : paths[i]).join("/")]);
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        for (let next = queue.shift(); next; next = queue.shift()) await sendFile(drop, next[0], next[1], most);
      }));
      const { address } = await post(`/drops/${drop}/done`);
      removeEventListener("beforeunload", stay);
      location.assign(address);
    }

    send().catch((fault) => {
      removeEventListener("beforeunload", stay);
      button.disabled = false;
      words.textContent = fault.message;
      words.className = "error";
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const form of document.querySelectorAll("form[data-upload]")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const before = form.querySelector(".progress-box");
        if (before) before.remove();
        begin(form);
      });
    }
  });
})();
