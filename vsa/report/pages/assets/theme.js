// Dark or light: the system's choice until the reader makes another. Loaded in the head, so that nothing flashes.
"use strict";
(() => {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("vsa-theme"); } catch { return null; } };
  const current = () => root.dataset.theme || (system.matches ? "dark" : "light");
  const told = () => window.dispatchEvent(new Event("vsa-theme"));
  const chosen = stored();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  system.addEventListener("change", told);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-button]");
    const label = () => { button.textContent = current() === "dark" ? "Light" : "Dark"; };
    button.hidden = false;
    label();
    button.addEventListener("click", () => {
      root.dataset.theme = current() === "dark" ? "light" : "dark";
      try { localStorage.setItem("vsa-theme", root.dataset.theme); } catch { /* private window: for this page only */ }
      label();
      told();
    });
    system.addEventListener("change", label);
  });
})();
