// The list of sessions: sorted and filtered as the address says, so that a link or the back button brings it back.
"use strict";
(() => {
  const MOST = 50; // rows that are shown until all are asked for, as in cohort.css
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  document.addEventListener("DOMContentLoaded", () => {
    // Where there is no chart, charts.js is not there to say that all is drawn.
    if (!window.VSA?.draw) document.documentElement.dataset.drawn = "yes";
    const table = document.querySelector("[data-list]");
    const block = document.getElementById("list-data");
    if (!table || !block) return;
    const data = JSON.parse(block.textContent);
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const form = document.querySelector("[data-filters]");
    const shown = document.querySelector("[data-shown]");
    const more = document.querySelector("[data-all]");
    const order = { key: "", falling: false, all: false };
    let texts = null; // of rows, made when somebody first searches

    const marks = () => window.VSA?.marks?.all() ?? new Map();
    const control = (name) => form.elements.namedItem(name);

    const missing = (value) => value === null || value === undefined || value === "";
    const sorted = (kept) => {
      if (!order.key) return kept;
      const held = order.key === "mark" ? marks() : null;
      const values = held ? data.ids.map((id) => held.get(id)?.mark ?? "") : data.sort[order.key];
      const sign = order.falling ? -1 : 1;
      return kept.slice().sort((a, b) => {
        const [one, other] = [values[a], values[b]];
        if (missing(one) || missing(other)) return missing(one) - missing(other) || a - b;
        const by = typeof one === "string" ? collator.compare(one, other) : one - other;
        return sign * by || a - b;
      });
    };

    const words = (row) => row.textContent.toLowerCase().replace(/\s+/g, " ");
    const filter = () => {
      const tests = [];
      const asked = (name, test) => {
        const value = control(name)?.value;
        if (value) tests.push((k) => test(k, value));
      };
      const search = control("q").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      if (search.length) {
        texts ??= rows.map(words);
        tests.push((k) => search.every((word) => texts[k].includes(word)));
      }
      asked("verdict", (k, value) => rows[k].dataset.verdict === value);
      asked("client", (k, value) => data.client[k] === value);
      asked("recording", (k, value) => data.troubled[k] === (value === "problems"));
      if (control("mark")?.value) {
        const held = marks();
        asked("mark", (k, value) => Boolean(held.get(data.ids[k])?.mark) === (value === "some"));
      }
      form.querySelectorAll("[data-fact]").forEach((one) => {
        asked(one.name, (k, value) => data.facts[one.dataset.fact][k] === value);
      });
      return [...rows.keys()].filter((k) => tests.every((test) => test(k)));
    };

    const say = (matching) => {
      const of = matching === rows.length ? `${rows.length}` : `${matching} of ${rows.length}`;
      const cut = !order.all && matching > MOST;
      shown.textContent = !matching
        ? "No session matches. Reset the filters to see all."
        : cut ? `${of} sessions, the first ${MOST} of them shown.` : `${of} session${rows.length === 1 ? "" : "s"} shown.`;
      more.textContent = `Show all ${matching}`;
      more.hidden = !cut;
      table.classList.toggle("short", !order.all);
    };

    const show = () => {
      const kept = sorted(filter());
      // Rows that are not shown are not in the page: putting a thousand into another order takes long.
      body.replaceChildren(...kept.slice(0, order.all ? undefined : MOST).map((k) => rows[k]));
      heads.forEach((head) => {
        if (head.dataset.key === order.key) head.setAttribute("aria-sort", order.falling ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
      say(kept.length);
    };

    let later = 0;
    const keep = () => {
      clearTimeout(later);
      later = setTimeout(() => { // browsers allow so many changes of the address in a while
        const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
        if (order.key) asked.set("sort", `${order.falling ? "-" : ""}${order.key}`);
        if (order.all) asked.set("all", "1");
        const hash = asked.toString();
        if (hash || location.hash.includes("=")) history.replaceState(null, "", hash ? `#${hash}` : "#list");
      }, 200);
    };
    const change = () => { show(); keep(); };

    const read = () => {
      const asked = new URLSearchParams(location.hash.slice(1));
      for (const one of form.elements) {
        if (!one.name) continue;
        one.value = asked.get(one.name) ?? "";
        if (one.matches("select") && one.selectedIndex < 0) one.value = "";
      }
      const key = asked.get("sort") ?? "";
      order.falling = key.startsWith("-");
      order.key = heads.find((head) => head.dataset.key === key.replace(/^-/, "")) ? key.replace(/^-/, "") : "";
      order.all = asked.get("all") === "1";
    };

    heads.forEach((head) => head.querySelector("button").addEventListener("click", () => {
      const first = "falling" in head.dataset;
      order.falling = order.key === head.dataset.key ? !order.falling : first;
      order.key = head.dataset.key;
      change();
    }));
    form.addEventListener("input", change);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => {
      event.preventDefault(); // to what stands in the page, which may be what the browser has remembered
      for (const one of form.elements) if (one.name) one.value = "";
      Object.assign(order, { key: "", falling: false, all: false });
      change();
    });
    more.addEventListener("click", () => { order.all = true; change(); });

    // A row must not go while its mark is being made: the dialog walks along the rows that are shown.
    window.addEventListener("vsa-marks", () => {
      if (!control("mark")?.value && order.key !== "mark") return;
      const dialog = document.querySelector("dialog[open]");
      if (dialog) dialog.addEventListener("close", show, { once: true }); else show();
    });
    window.addEventListener("hashchange", () => {
      if (location.hash.length > 1 && !location.hash.includes("=")) return; // a place on the page
      read();
      show();
      if (location.hash) document.getElementById("list").scrollIntoView();
    });

    form.hidden = false;
    if (location.hash.includes("=")) read();
    show();
  });
})();
