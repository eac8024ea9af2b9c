// The toolbar of the marks: whose they are, how many there are, export, load, clear.
"use strict";
window.VSA = window.VSA || {};
(() => {
  const COLUMNS = [
    "session_id", "verdict", "probability", "mark", "note", "reviewer", "marked_at", "model", "model_print", "simulated",
  ];
  const LARGEST = 20e6;
  const many = (n, one, more = `${one}s`) => `${n} ${n === 1 ? one : more}`;

  document.addEventListener("DOMContentLoaded", () => {
    const bar = document.querySelector("[data-marks-tools]");
    if (!bar) return;
    const part = (name) => bar.querySelector(`[data-${name}]`);
    const say = (words) => { part("outcome").textContent = words; };
    const { model = "", modelPrint = "", key } = document.body.dataset;
    const exportedKey = `vsa-marks-exported:${key}`;
    const exported = () => { try { return localStorage.getItem(exportedKey) ?? ""; } catch { return ""; } };

    const count = () => {
      const marks = [...VSA.marks.all().values()];
      const since = exported();
      const fresh = marks.filter((one) => one.marked_at > since).length;
      const left = !since ? "not exported yet" : fresh ? `${fresh} since the last export` : "exported";
      part("count").textContent = marks.length ? `${many(marks.length, "session")} marked, ${left}.` : "No session marked yet.";
      part("export").disabled = part("clear").disabled = !marks.length;
      part("trouble").hidden = !VSA.marks.unsaved();
    };

    const initials = part("initials");
    initials.value = VSA.marks.reviewer();
    initials.addEventListener("change", () => VSA.marks.sign(initials.value));

    part("export").addEventListener("click", () => {
      const marks = [...VSA.marks.all()];
      const table = marks.map(([id, one]) => [
        id, one.verdict, one.probability, one.mark, one.note, one.reviewer, one.marked_at, model, modelPrint, String(one.simulated),
      ]);
      const study = (bar.dataset.study ?? "").replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 60);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([VSA.csv.text([COLUMNS, ...table])], { type: "text/csv;charset=utf-8" }));
      link.download = `reviews-${study || "study"}-${VSA.marks.now().slice(0, 10)}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      try { localStorage.setItem(exportedKey, VSA.marks.now()); } catch { /* it is a reminder and no more */ }
      const nameless = marks.filter(([, one]) => !one.reviewer).length;
      say(`Exported: ${link.download}.${nameless ? " It does not say whose marks these are: give your initials." : ""}`);
      count();
    });

    const read = (bytes) => {
      const { names, records } = VSA.csv.records(VSA.csv.decoded(bytes));
      const lacking = ["session_id", "mark"].filter((name) => !names.includes(name));
      if (lacking.length) throw new Error(`it has no column ${lacking.join(" and ")}`);
      const held = VSA.marks.all(), changes = new Map();
      const seen = { fresh: 0, newer: 0, same: 0, others: 0, model: 0, unclear: 0 };
      for (const record of records) {
        const of = (name) => record.get(name) ?? "";
        const id = of("session_id");
        const number = Number(of("probability").replace(",", "."));
        const one = VSA.marks.cleaned({
          ...Object.fromEntries(["note", "reviewer", "marked_at", "verdict"].map((name) => [name, of(name)])),
          mark: of("mark").toLowerCase().replace("_", " "),
          probability: of("probability") ? number : null,
          simulated: of("simulated").toLowerCase() === "true",
        });
        const mine = changes.get(id) ?? held.get(id);
        if (!id || !(one.mark || one.note) || (of("mark") && !one.mark)) seen.unclear++;
        else if (modelPrint ? of("model_print") !== modelPrint : of("model") !== model) seen.model++;
        else if (!mine) { changes.set(id, one); seen.fresh++; }
        else if (mine.reviewer && one.reviewer && mine.reviewer !== one.reviewer) seen.others++;
        else if ((Date.parse(one.marked_at) || 0) > (Date.parse(mine.marked_at) || 0)) { changes.set(id, one); seen.newer++; }
        else seen.same++;
      }
      if (changes.size) VSA.marks.change(changes);
      return [
        `${many(seen.fresh, "mark")} added`,
        seen.newer && `${many(seen.newer, "mark")} replaced by newer ones`,
        seen.same && `${many(seen.same, "mark")} left, for those here are the same or newer`,
        seen.others && `${many(seen.others, "mark")} by another reviewer left out, for these sessions are marked here: give `
          + "both files to vsa evaluate",
        seen.model && `${many(seen.model, "mark")} of another list left out`,
        seen.unclear && `${many(seen.unclear, "row")} without a session or a mark that is known`,
      ].filter(Boolean).join("; ");
    };
    const file = part("file");
    part("load").addEventListener("click", () => file.click());
    file.addEventListener("change", async () => {
      const [chosen] = file.files;
      if (!chosen) return;
      try {
        if (chosen.size > LARGEST) throw new Error("it is too large for a list of marks");
        say(`${chosen.name}: ${read(await chosen.arrayBuffer())}.`);
      } catch (error) {
        say(`${chosen.name} can't be loaded: ${error.message}. Nothing was changed.`);
      }
      file.value = ""; // so that the same file can be chosen again
    });

    part("clear").addEventListener("click", () => {
      const marks = VSA.marks.all();
      const question = `Remove the marks of ${many(marks.size, "session")} from this browser? What was not exported is lost.`;
      if (!window.confirm(question)) return;
      VSA.marks.change(new Map([...marks.keys()].map((id) => [id, null])));
      say("All marks of this report are removed from this browser.");
    });

    window.addEventListener("vsa-marks", count);
    bar.hidden = false;
    count();
  });
})();
