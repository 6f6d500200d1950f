/* The printable wall: who is printed, by state and department. Without it everybody is. */
"use strict";
(function () {
  const only = document.getElementById("only-approved"), which = document.getElementById("only-department");
  if (!only || !which) return;
  function show() {
    for (const sheet of document.querySelectorAll(".sheet")) {
      let left = 0;
      for (const card of sheet.querySelectorAll(".card")) {
        card.hidden = only.checked && card.dataset.state !== "approved";
        left += card.hidden ? 0 : 1;
      }
      sheet.hidden = left === 0 || (which.value !== "*" && sheet.dataset.department !== which.value);
    }
  }
  document.getElementById("print-choices").hidden = false;
  only.addEventListener("change", show);
  which.addEventListener("change", show);
  document.getElementById("print-now").addEventListener("click", () => print());
  show();
})();
