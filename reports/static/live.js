/* Parts of a page that renew themselves: the desk says when one has become another. Without it a reload does. */
"use strict";
(function () {
  for (const part of document.querySelectorAll("[data-live]")) {
    const changes = new EventSource(part.dataset.live);
    changes.onmessage = (event) => {
      const held = part.contains(document.activeElement) ? document.activeElement : null;
      if (held && held.matches("input, select, textarea")) return; // nobody's typing is taken away
      const place = held ? [...part.querySelectorAll("a, button, summary")].indexOf(held) : -1;
      const open = new Set([...part.querySelectorAll("details[open]")].map((one) => one.id));
      const drawn = document.createRange().createContextualFragment(JSON.parse(event.data));
      part.replaceChildren(drawn);
      for (const one of part.querySelectorAll("details")) if (open.has(one.id)) one.open = true;
      if (place >= 0) part.querySelectorAll("a, button, summary")[place]?.focus();
      const end = part.querySelector("[data-leads-to]");
      if (end) location.replace(end.dataset.leadsTo);
    };
    addEventListener("pagehide", () => changes.close());
  }

  /* A page about something that will end is asked for again until it has; what stands still is left alone. */
  const main = document.getElementById("main");
  async function again() {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = drawn.getElementById("main");
      if (!answer.ok || !now) return location.reload();
      if (!now.querySelector("[data-again]")) return location.reload(); /* its end has scripts of its own */
      if (!now.isEqualNode(main)) main.replaceChildren(...now.childNodes);
    } catch { /* the desk is away for a moment */ }
    setTimeout(again, 2000);
  }
  if (main.querySelector("[data-again]")) setTimeout(again, 2000);
})();
