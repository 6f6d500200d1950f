/* Light or dark before the first paint: the system's choice until somebody makes another. Loaded without `defer`. */
"use strict";
(function () {
  const root = document.documentElement;
  const KEY = "rollcall:theme";
  const remembered = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const chosen = remembered();
  if (chosen) root.dataset.theme = chosen;
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      try { localStorage.setItem(KEY, root.dataset.theme); } catch { /* private window: the choice lasts for this page */ }
    });
  });
})();
