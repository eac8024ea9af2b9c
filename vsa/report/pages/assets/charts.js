// Charts from JSON: <div class="chart" data-chart="ID"> draws what <script type="application/json" id="ID"> holds
// ({data, layout}, as Plotly has them). Strings "--name" in it are colours of vsa.css, read when a chart is drawn.
"use strict";
window.VSA = window.VSA || {};
(() => {
  // Nothing of a page may leave it: no logo with a link, no "Share chart", no server to send it to.
  const CONFIG = {
    displaylogo: false, responsive: true, scrollZoom: false, showTips: false, showSendToCloud: false, plotlyServerURL: "",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  };

  const root = document.documentElement;
  let printing = false;

  VSA.read = (id) => {
    const block = document.getElementById(id);
    return block ? JSON.parse(block.textContent) : null;
  };

  const coloured = (value, style) => {
    if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() || "#888" : value;
    if (Array.isArray(value)) return value.map((one) => coloured(one, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one, style)]));
    }
    return value;
  };

  // Draw a figure into an element, and again in other colours when the theme changes or the page is printed.
  VSA.draw = (element, figure) => {
    element.vsaFigure = figure;
    const style = getComputedStyle(root);
    const chosen = root.dataset.theme;
    if (printing) root.dataset.theme = "light";
    const base = {
      paper_bgcolor: "--back", plot_bgcolor: "--back", font: { color: "--text", family: "system-ui, sans-serif", size: 13 },
      hoverlabel: { bgcolor: "--band", bordercolor: "--line", font: { color: "--text" } },
      margin: { l: 60, r: 20, t: 30, b: 50 },
    };
    const axis = { gridcolor: "--grid", zerolinecolor: "--line", linecolor: "--line", tickcolor: "--line" };
    const layout = { ...base, ...figure.layout };
    for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))])) {
      layout[name] = { ...axis, ...layout[name] };
    }
    const view = element.vsaView ? element.vsaView() : {};
    const data = coloured(figure.data, style), laid = coloured({ ...layout, ...view }, style);
    if (printing && chosen) root.dataset.theme = chosen;
    else if (printing) delete root.dataset.theme;
    return Plotly.react(element, data, laid, CONFIG);
  };

  const all = () => document.querySelectorAll("[data-chart]");
  const again = () => all().forEach((one) => one.vsaFigure && VSA.draw(one, one.vsaFigure));
  document.addEventListener("DOMContentLoaded", () => {
    all().forEach((one) => {
      const figure = VSA.read(one.dataset.chart);
      if (figure && !one.vsaFigure) VSA.draw(one, figure);
    });
    document.documentElement.dataset.drawn = "yes";
  });
  window.addEventListener("vsa-theme", again);
  // Paper is white: draw for it, and back. (The media query of print has not changed yet when this is called.)
  window.addEventListener("beforeprint", () => { printing = true; again(); });
  window.addEventListener("afterprint", () => { printing = false; again(); });
})();
