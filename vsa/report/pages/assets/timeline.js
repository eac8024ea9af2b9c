// The timeline of a session: which part is shown, the time that was chosen, and the recording that follows it.
// Any [data-seek="seconds"] of the page chooses a time, with [data-until] a stretch; so does #t=seconds in the address.
"use strict";
(() => {
  const box = document.querySelector("[data-timeline]");
  if (!box) return;
  const plot = box.querySelector(".timeline-plot");
  const chart = plot.querySelector(".chart");
  const cursor = box.querySelector("[data-cursor]");
  const now = box.querySelector("[data-now]");
  const film = box.querySelector("video");
  const first = Number(box.dataset.start);
  const last = Number(box.dataset.end);
  // Firefox counts from the first picture; Chromium, and the HTML standard, keep the file's own times.
  const offset = film && "mozHasAudio" in film ? Number(film.dataset.offset) || 0 : 0;
  // s: the shortest part that is shown, the widest around a time that was chosen, and the least beside it
  const LEAST = 4, AROUND = 120, BESIDE = 8;
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
  const PAPER_PX = 680;
  let part = [first, last];
  let time = null;
  let sought = null;
  let printing = false;

  const clock = (seconds) => {
    const whole = Math.round(Math.abs(seconds));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    const text = hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
    return seconds < 0 && whole ? `-${text}` : text;
  };
  const width = () => (printing ? PAPER_PX : chart.clientWidth);

  // Where the axes are, px within the chart: its margins are fixed.
  const area = () => {
    const { l, r, t, b } = chart.vsaFigure.layout.margin;
    return { left: l, right: width() - r, top: t, bottom: chart.vsaFigure.layout.height - b };
  };

  const ticks = () => {
    const room = Math.max(3, (width() - 150) / 75);
    const step = STEPS.find((one) => (part[1] - part[0]) / one <= room) || STEPS[STEPS.length - 1];
    const values = [];
    for (let t = Math.ceil(part[0] / step) * step; t <= part[1] + 1e-6; t += step) values.push(t);
    return { tickvals: values, ticktext: values.map(clock) };
  };

  // Charts.js asks for this when it draws again: the part that is shown, and the width of paper.
  chart.vsaView = () => ({
    xaxis: { ...VSA.read("timeline-data").layout.xaxis, range: [...part], ...ticks() },
    ...(printing ? { width: PAPER_PX } : {}),
  });

  const place = () => {
    const drawn = time !== null && chart.vsaFigure;
    cursor.hidden = !drawn || time < part[0] - 1e-6 || time > part[1] + 1e-6;
    if (cursor.hidden) return;
    const { left, right, top, bottom } = area();
    cursor.style.left = `${left + (time - part[0]) / (part[1] - part[0]) * (right - left) - 1}px`;
    cursor.style.top = `${top}px`;
    cursor.style.height = `${bottom - top}px`;
    cursor.firstElementChild.textContent = clock(time);
  };

  const show = (from, to) => {
    const size = Math.min(last - first, Math.max(LEAST, to - from));
    const start = Math.min(Math.max((from + to - size) / 2, first), last - size);
    part = [start, start + size];
    place();
    if (!chart.vsaFigure) return;
    const { tickvals, ticktext } = ticks();
    Plotly.relayout(chart, { "xaxis.range": [...part], "xaxis.tickvals": tickvals, "xaxis.ticktext": ticktext });
  };

  const MOVES = {
    earlier: () => shift(-0.25), later: () => shift(0.25),
    closer: () => scale(0.5), wider: () => scale(2), whole: () => show(first, last),
  };
  // Closer to the time that was chosen if it is in view, and it stays where it is.
  const scale = (by) => {
    const fixed = time !== null && time >= part[0] && time <= part[1] ? time : (part[0] + part[1]) / 2;
    show(fixed - (fixed - part[0]) * by, fixed + (part[1] - fixed) * by);
  };
  const shift = (by) => {
    const step = by * (part[1] - part[0]);
    const kept = Math.min(Math.max(step, first - part[0]), last - part[1]);
    show(part[0] + kept, part[1] + kept);
  };

  const choose = (seconds) => {
    time = Math.min(Math.max(seconds, first), last);
    now.textContent = `At ${clock(time)} of ${clock(last)}`;
    if (film && !film.error) film.currentTime = sought = Math.max(0, time - offset);
    place();
  };

  // Show a time, or a stretch, with what lies around it.
  const visit = (seconds, until) => {
    choose(seconds);
    if (until > seconds) {
      const beside = Math.max(BESIDE, (until - seconds) / 2);
      show(seconds - beside, until + beside);
    } else {
      const size = Math.min(part[1] - part[0], AROUND);
      if (size < part[1] - part[0] || time < part[0] || time > part[1]) show(time - size / 2, time + size / 2);
    }
    const { top, bottom } = plot.getBoundingClientRect();
    if (top < 0 || bottom > window.innerHeight) {
      const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      box.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-seek]") : null;
    if (button) visit(Number(button.dataset.seek), Number(button.dataset.until));
  });
  const linked = () => {
    const found = /^#t=(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?$/.exec(location.hash);
    if (found) visit(Number(found[1]), Number(found[2]));
  };

  box.querySelectorAll("[data-move]").forEach((button) => button.addEventListener("click", MOVES[button.dataset.move]));
  const KEYS = { ArrowLeft: "earlier", ArrowRight: "later", "+": "closer", "=": "closer", "-": "wider", 0: "whole" };
  plot.addEventListener("keydown", (event) => {
    const move = KEYS[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    MOVES[move]();
  });

  // A click in the chart, which Plotly's layer swallows: pressed and let go at one place.
  let pressed = null;
  plot.addEventListener("pointerdown", (event) => {
    pressed = event.button || event.target.closest(".modebar") ? null : [event.clientX, event.clientY];
  }, true);
  window.addEventListener("pointerup", (event) => {
    if (!pressed || !chart.vsaFigure) return;
    const still = Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < 4;
    const at = chart.getBoundingClientRect();
    const { left, right, top, bottom } = area();
    const x = pressed[0] - at.left, y = pressed[1] - at.top;
    pressed = null;
    if (!still || x < left || x > right || y < top || y > bottom) return;
    choose(part[0] + (x - left) / (right - left) * (part[1] - part[0]));
  }, true);

  // Paper is narrower than the window; charts.js has drawn for its colours before this is called.
  const paper = (on) => () => {
    printing = on;
    if (!chart.vsaFigure) return;
    VSA.draw(chart, chart.vsaFigure);
    if (!on) Plotly.relayout(chart, { autosize: true });
  };
  window.addEventListener("beforeprint", paper(true));
  window.addEventListener("afterprint", paper(false));

  document.addEventListener("DOMContentLoaded", () => {
    if (chart.on) {
      // zoomed in the chart itself: the same limits and ticks hold
      chart.on("plotly_relayout", (change) => {
        if (change["xaxis.autorange"]) return show(first, last);
        const range = chart.layout.xaxis.range.map(Number);
        if (Math.abs(range[0] - part[0]) + Math.abs(range[1] - part[1]) > 1e-6) show(range[0], range[1]);
      });
      chart.on("plotly_afterplot", place);
    }
    window.addEventListener("hashchange", linked);
    linked();
  });

  if (film) {
    const failed = () => { box.querySelector("[data-film-failed]").hidden = false; };
    film.addEventListener("error", failed);
    if (film.error) failed();
    // a film whose pictures can't be decoded may play its sound, and fires no error
    film.addEventListener("loadedmetadata", () => { if (!film.videoWidth) failed(); });
    film.addEventListener("timeupdate", () => {
      // what was sought here is known better than the player tells: it has no time before its beginning
      if (film.paused && sought !== null && Math.abs(film.currentTime - sought) < 0.05) return;
      time = Math.min(Math.max(film.currentTime + offset, first), last);
      const size = part[1] - part[0];
      if (!film.paused && size < last - first && (time < part[0] || time > part[1])) show(time - 0.1 * size, time + 0.9 * size);
      place();
    });
  }
})();
