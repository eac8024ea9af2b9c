// Marks of reviewers: kept in this browser, for this report, as {session: {mark, note, reviewer, marked_at, verdict,
// probability, simulated}}. Pages of one report share them where the browser lets files share; else people export and
// load. Whatever is shown of them goes in as text.
"use strict";
window.VSA = window.VSA || {};
(() => {
  if (VSA.marks) return; // a page may name this script twice
  const WORDS = { agree: "Agree", disagree: "Disagree", "cannot tell": "Can't tell" };
  const LONGEST = { note: 2000, reviewer: 40 };
  const key = () => `vsa-marks:${document.body.dataset.key}`;
  // What could not be stored, by session; null for what was taken away. It lasts as long as the page.
  const unsaved = new Map();

  const text = (value, most = 200) => (typeof value === "string" ? value.slice(0, most) : "");
  const cleaned = (one) => ({
    mark: Object.hasOwn(WORDS, one?.mark) ? one.mark : "",
    note: text(one?.note, LONGEST.note),
    reviewer: text(one?.reviewer, LONGEST.reviewer),
    marked_at: text(one?.marked_at, 40),
    verdict: text(one?.verdict, 20),
    probability: Number.isFinite(one?.probability) ? one.probability : null,
    simulated: one?.simulated === true,
  });

  const stored = () => {
    try {
      const held = JSON.parse(localStorage.getItem(key()) ?? "{}");
      const pairs = held && typeof held === "object" ? Object.entries(held) : [];
      return new Map(pairs.map(([id, one]) => [id, cleaned(one)]).filter(([, one]) => one.mark || one.note));
    } catch {
      return new Map();
    }
  };

  const all = () => {
    const held = stored();
    unsaved.forEach((one, id) => (one ? held.set(id, one) : held.delete(id)));
    return held;
  };

  // Change some: session -> mark, or null to take it away. Others may have been changed in another tab meanwhile.
  const change = (changes) => {
    changes.forEach((one, id) => unsaved.set(id, one && (one.mark || one.note) ? cleaned(one) : null));
    try {
      localStorage.setItem(key(), JSON.stringify(Object.fromEntries(all())));
      unsaved.clear();
    } catch { /* a private window, or no room: they stay in `unsaved`, and the toolbar says so */ }
    show([...changes.keys()]);
  };

  const now = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");
  // Whose marks are made here; the browser remembers it for the next page.
  let reviewer = "";
  try { reviewer = text(localStorage.getItem("vsa-reviewer") ?? "", LONGEST.reviewer); } catch { /* for this page only */ }
  const sign = (name) => {
    reviewer = text(name.trim(), LONGEST.reviewer);
    try { localStorage.setItem("vsa-reviewer", reviewer); } catch { /* for this page only */ }
    const nameless = [...all()].filter(([, one]) => !one.reviewer);
    if (reviewer && nameless.length) change(new Map(nameless.map(([id, one]) => [id, { ...one, reviewer }])));
  };

  const edit = (form, what) => {
    const { session, verdict, probability, simulated } = form.dataset;
    const before = all().get(session);
    const seen = {
      verdict, simulated: simulated === "yes",
      probability: probability ? Number(probability) : null,
    };
    change(new Map([[session, { ...before, ...seen, ...what, reviewer, marked_at: now() }]]));
  };

  const fill = (form) => {
    const one = all().get(form.dataset.session);
    form.querySelectorAll("[data-mark]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.mark === one?.mark));
    });
    const note = form.querySelector("textarea");
    if (note !== document.activeElement) note.value = one?.note ?? "";
    const by = one && [one.reviewer, one.marked_at.slice(0, 10)].filter(Boolean).join(", ");
    form.querySelector("[data-said]").textContent = one
      ? `${one.mark ? `Marked: ${WORDS[one.mark].toLowerCase()}` : "A note and no mark"}${by ? ` (${by})` : ""}.` : "Not marked yet.";
    form.querySelector("[data-note-print]").textContent = one?.note ?? "";
    form.toggleAttribute("data-marked", Boolean(one));
    form.hidden = false;
  };

  const fillCell = (cell, one) => {
    let button = cell.querySelector("button");
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-haspopup", "dialog");
      cell.append(button);
    }
    const said = one?.mark ? WORDS[one.mark] : "";
    cell.dataset.mark = one?.mark ?? "";
    button.textContent = `${said || "Mark"}${one?.note ? " + note" : ""}`;
    button.setAttribute("aria-label", `${said || "Not marked"}${one?.note ? ", with a note" : ""}: mark ${cell.dataset.markOf}`);
    if (one?.note) button.title = one.note; else button.removeAttribute("title");
  };

  let cells = null;
  // Show marks where they have changed; all of them without ids.
  const show = (ids) => {
    if (!cells) {
      cells = new Map([...document.querySelectorAll("[data-mark-of]")].map((cell) => [cell.dataset.markOf, cell]));
      ids = undefined;
    }
    const held = all();
    for (const id of ids ?? cells.keys()) if (cells.has(id)) fillCell(cells.get(id), held.get(id));
    document.querySelectorAll(".marks[data-session]").forEach((form) => {
      if (!ids || ids.includes(form.dataset.session)) fill(form);
    });
    window.dispatchEvent(new CustomEvent("vsa-marks", { detail: { ids: ids ?? null } }));
  };

  const toggle = (button) => {
    const pressed = button.getAttribute("aria-pressed") === "true";
    edit(button.closest(".marks"), { mark: pressed ? "" : button.dataset.mark });
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".marks[data-session] [data-mark]");
    if (button) toggle(button);
  });
  document.addEventListener("input", (event) => {
    const form = event.target.matches?.("textarea") && event.target.closest(".marks[data-session]");
    if (form) edit(form, { note: event.target.value });
  });
  // Letters act within the form alone, where they can't meet what a browser or a screen reader does with them.
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.(".marks[data-session]");
    if (!form || event.target.matches("textarea") || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const pressed = event.key.toLowerCase();
    const button = form.querySelector(`[data-key="${CSS.escape(pressed)}"]`);
    if (!button && pressed !== "n") return;
    event.preventDefault();
    if (button) toggle(button);
    (button ?? form.querySelector("textarea")).focus();
  });
  window.addEventListener("storage", (event) => {
    if (event.key === null || event.key === key()) show();
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) show(); });
  window.addEventListener("beforeunload", (event) => { if (unsaved.size) event.preventDefault(); });
  document.addEventListener("DOMContentLoaded", () => show());

  VSA.marks = {
    all, change, show, cleaned, now, sign,
    get: (id) => all().get(id), reviewer: () => reviewer, unsaved: () => unsaved.size,
  };
})();
