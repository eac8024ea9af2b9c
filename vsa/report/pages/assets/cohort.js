// The charts of the cohort: drawn once the list is there to read, as drawing takes longer than all else. A point opens
// its session, and one client at a time is shown in colour.
"use strict";
(() => {
  const loaded = (src) => new Promise((done, failed) => {
    const script = document.createElement("script");
    Object.assign(script, { src, onload: done, onerror: failed });
    document.head.append(script);
  });
  const idle = () => new Promise((go) => (window.requestIdleCallback ? requestIdleCallback(go, { timeout: 1000 }) : setTimeout(go, 50)));

  // charts.js knows it by `data-chart` from then on: it draws it again for the dark and for paper.
  const draw = async (chart) => {
    await idle();
    await VSA.draw(chart, VSA.read(chart.dataset.later));
    chart.dataset.chart = chart.dataset.later;
    chart.on("plotly_click", (event) => {
      const page = event.points[0]?.customdata;
      if (typeof page === "string" && page.startsWith("sessions/")) location.assign(page);
    });
  };

  const courses = (chart) => {
    const data = VSA.read("courses-data");
    const select = document.querySelector("[data-course]");
    const name = document.querySelector("[data-course-name]");
    const steps = document.querySelectorAll("[data-step]");
    const put = (trace, one) => {
      const filled = { ...trace, x: one.x, y: one[trace.meta], text: one.text, customdata: one.page };
      if (trace.error_y) filled.error_y = { ...trace.error_y, array: one.above, arrayminus: one.below };
      return filled;
    };
    const show = () => {
      const one = data.clients[select.value];
      const figure = chart.vsaFigure;
      VSA.draw(chart, { ...figure, data: figure.data.map((trace) => (trace.meta ? put(trace, one) : trace)) });
      name.textContent = one.said;
      bound();
    };
    const bound = () => steps.forEach((button) => {
      button.disabled = !select.options[select.selectedIndex + Number(button.dataset.step)];
    });
    select.addEventListener("change", show);
    steps.forEach((button) => button.addEventListener("click", () => {
      select.selectedIndex += Number(button.dataset.step);
      show();
    }));
    if (select.value === data.first) bound(); else show(); // a browser keeps a choice over a reload
    document.querySelector("[data-pick]").hidden = false;
  };

  window.addEventListener("load", async () => {
    const charts = [...document.querySelectorAll("[data-later]")];
    await idle();
    await loaded(document.querySelector("[data-plotly]").dataset.plotly);
    for (const chart of charts) await draw(chart);
    const chart = document.getElementById("courses");
    if (chart) courses(chart);
    document.documentElement.dataset.charts = "yes";
  });
})();
