// Marking from the list: one dialog for all rows, which goes from row to row by keyboard.
"use strict";
window.VSA = window.VSA || {};
(() => {
  document.addEventListener("DOMContentLoaded", () => {
    const dialog = document.querySelector("[data-marks-dialog]");
    if (!dialog) return;
    const form = dialog.querySelector(".marks");
    const title = dialog.querySelector("[data-title]");
    let cell = null;

    const shown = () => [...document.querySelectorAll("[data-mark-of]")].filter((one) => one.getClientRects().length);
    const beside = (step) => {
      const cells = shown();
      return cells[cells.indexOf(cell) + step] ?? null;
    };

    const go = (to) => {
      if (!to) return;
      cell?.removeAttribute("data-marking");
      cell = to;
      cell.setAttribute("data-marking", "");
      const { markOf } = cell.dataset;
      const row = cell.closest("tr")?.dataset ?? {};
      form.dataset.session = markOf;
      for (const name of ["verdict", "probability", "simulated"]) {
        form.dataset[name] = cell.dataset[name] ?? row[name] ?? dialog.dataset[name] ?? "";
      }
      const cells = shown();
      const at = cells.indexOf(cell);
      title.textContent = markOf;
      const page = cell.closest("tr")?.querySelector("a[href]")?.getAttribute("href");
      if (page) title.setAttribute("href", page); else title.removeAttribute("href");
      dialog.querySelector("[data-place]").textContent = `${at + 1} of ${cells.length} shown`;
      dialog.querySelector("[data-previous]").disabled = at === 0;
      dialog.querySelector("[data-next]").disabled = at === cells.length - 1;
      document.activeElement?.matches("textarea") && document.activeElement.blur(); // its text is another session's
      VSA.marks.show([markOf]);
      cell.scrollIntoView({ block: "start" }); // the dialog lies below: the row says why the session is listed
      (form.querySelector('[aria-pressed="true"]') ?? form.querySelector("[data-mark]")).focus();
    };

    document.addEventListener("click", (event) => {
      const to = event.target.closest?.("[data-mark-of] button")?.closest("[data-mark-of]");
      if (!to) return;
      dialog.showModal();
      go(to);
    });
    dialog.addEventListener("close", () => {
      cell?.removeAttribute("data-marking");
      cell?.querySelector("button")?.focus();
      form.removeAttribute("data-session");
    });
    dialog.querySelector("[data-previous]").addEventListener("click", () => go(beside(-1)));
    dialog.querySelector("[data-next]").addEventListener("click", () => go(beside(1)));
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => {
      const typing = event.target.matches("textarea");
      const step = typing
        ? (event.key === "Enter" && event.ctrlKey ? 1 : 0)
        : { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
      if (!step) return;
      event.preventDefault();
      go(beside(step));
    });
  });
})();
