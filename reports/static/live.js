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
})();
