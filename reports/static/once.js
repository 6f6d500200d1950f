/* A form that was sent is not sent once more by the same hand: the second press of a double click would be answered
   instead of the first, and find everything done. After a while, or when the page is shown anew, it may be sent again. */
"use strict";
(function () {
  const A_WHILE = 3000; // ms: longer than a double click, shorter than waiting for an answer that does not come
  let sent = new WeakSet();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (sent.has(form)) {
      event.preventDefault();
      return;
    }
    sent.add(form);
    setTimeout(() => sent.delete(form), A_WHILE);
  });
  addEventListener("pageshow", () => { sent = new WeakSet(); });
})();
