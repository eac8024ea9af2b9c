// Finding a feature among hundreds. Without scripts the page is the same, all groups closed.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const tools = document.querySelector(".feature-tools");
  if (!tools) return;
  const box = document.getElementById("feature-filter");
  const all = document.getElementById("feature-all");
  const count = document.getElementById("feature-count");
  const section = tools.closest("section");
  const items = [...section.querySelectorAll("[data-item]")].map((element) => {
    const named = element.matches("tr") ? element.querySelector("th") : element;
    return { element, text: `${element.dataset.item} ${named.textContent}`.toLowerCase() };
  });
  // what a search opened closes with it; what the reader opened stays
  const opened = new Set();

  const open = (details) => {
    if (details.open) return;
    details.open = true;
    opened.add(details);
  };
  const find = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { element, text } of items) element.hidden = !words.every((word) => text.includes(word));
    const shown = items.filter(({ element }) => !element.hidden);
    for (const body of section.querySelectorAll("tbody, table, .lacking")) {
      body.hidden = !body.querySelector("[data-item]:not([hidden])");
    }
    opened.forEach((details) => { details.open = false; });
    opened.clear();
    for (const group of section.querySelectorAll(".group")) {
      group.hidden = !group.querySelector("[data-item]:not([hidden])");
      if (words.length && !group.hidden) open(group);
    }
    if (words.length) shown.forEach(({ element }) => { element.matches("li") && element.querySelectorAll("details").forEach(open); });
    count.textContent = words.length ? `${shown.length} of ${items.length} entries` : "";
  };
  box.addEventListener("input", find);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    box.value = "";
    find();
  });
  all.addEventListener("click", () => {
    const now = all.getAttribute("aria-pressed") !== "true";
    section.querySelectorAll(".group").forEach((group) => { group.open = now; });
    opened.clear();
    all.setAttribute("aria-pressed", String(now));
    all.textContent = now ? "Close all groups" : "Open all groups";
  });
  tools.hidden = false;
});
