// The scores of one track: over time, at this moment, and the threshold that decides.

import { byId, clock, counted, make, oncePerPaint, trackName } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";

const FEW = 6; // classes are shown at first, or as many as have passed their threshold

/** A step curve over the cells, in a picture of 1 × 1 that is stretched later. */
function curveOf(track, scores) {
  const length = track.end - track.start || 1;
  const points = track.cells.map(({ start, end }, i) => {
    const [from, to] = [start, end].map((at) => ((at - track.start) / length).toFixed(5));
    return `${i === 0 ? "M" : "L"}${from} ${(1 - scores[i]).toFixed(4)}H${to}`;
  });
  return points.join("");
}

export class Scores {
  #rows = []; // one for each class
  #cell = null;
  #seconds = 0;

  constructor(analysis) {
    this.analysis = analysis;
    const order = analysis.classNames.map((_, k) => k);
    const closeness = order.map((k) => analysis.peakOf(k) / Math.max(analysis.defaults[k], 1e-6));
    order.sort((a, b) => closeness[b] - closeness[a]);
    for (const k of order) this.#rows[k] = this.#row(k);
    const numSeen = closeness.filter((part) => part > 1).length;
    this.#fold(order.slice(Math.max(numSeen, FEW)));
    byId("score-rows").replaceChildren(...order.map((k) => this.#rows[k].element));
    byId("track").replaceChildren(
      ...analysis.tracks.map(({ number, start, end }) =>
        make("option", { value: number }, `${trackName(number)}, ${clock(start)} to ${clock(end)}`),
      ),
    );
    byId("track").onchange = () => analysis.selectTrack(Number(byId("track").value));
    byId("reset").onclick = () => analysis.reset();
    analysis.addEventListener("select", () => this.#showTrack());
    const refresh = oncePerPaint(() => this.#showOnsets());
    analysis.addEventListener("relabel", refresh);
    this.#showTrack();
    this.#showOnsets();
  }

  /** Shows the scores at `seconds`. */
  draw(seconds) {
    this.#seconds = seconds;
    const { track } = this.analysis.selected;
    if (!track) return;
    const cell = track.cellAt(seconds);
    const part = (seconds - track.start) / (track.end - track.start || 1);
    for (const { cursor } of this.#rows) cursor.style.left = `${100 * part}%`;
    if (cell === this.#cell) return;
    this.#cell = cell;
    byId("score-rows").classList.toggle("absent", cell < 0);
    this.#rows.forEach(({ bar, value }, k) => {
      const score = cell < 0 ? null : track.scores[k][cell];
      bar.style.transform = `scaleX(${score ?? 0})`;
      bar.classList.toggle("on", cell >= 0 && this.analysis.isOn(track, k, cell));
      value.textContent = score === null ? "–" : score.toFixed(2);
    });
  }

  /** Hides these classes until they are asked for. */
  #fold(folded) {
    const button = byId("all-scores");
    const show = (isOpen) => {
      for (const k of folded) this.#rows[k].element.hidden = !isOpen;
      button.setAttribute("aria-expanded", isOpen);
      button.textContent = isOpen ? "Fewer classes" : `All ${this.#rows.length} classes`;
      button.onclick = () => show(!isOpen);
    };
    button.hidden = folded.length === 0;
    show(false);
  }

  #row(k) {
    const name = this.analysis.classNames[k];
    const id = `onset-${k}`;
    const path = document.createElementNS(SVG, "path");
    const chart = document.createElementNS(SVG, "svg");
    chart.setAttribute("viewBox", "0 0 1 1");
    chart.setAttribute("preserveAspectRatio", "none");
    chart.append(path);
    const value = make("span", { class: "value" }, "–");
    const count = make("span", { class: "count" });
    const cursor = make("i");
    const line = make("b");
    const bar = make("div", { class: "level" });
    const onset = make("output", { for: id });
    const range = { type: "range", min: 0, max: 1, step: 0.005 };
    const slider = make("input", { id, ...range, autocomplete: "off" });
    slider.addEventListener("input", () => this.analysis.setOnset(k, slider.valueAsNumber));
    const element = make(
      "li",
      {},
      make("div", { class: "score-head" }, make("label", { for: id }, name), count, value),
      make("div", { class: "chart", "aria-hidden": "true" }, chart, line, cursor),
      make("div", { class: "decision" }, make("div", { class: "gauge" }, bar, slider), onset),
    );
    return { element, path, line, cursor, value, count, bar, onset, slider };
  }

  #showTrack() {
    const { track } = this.analysis.selected;
    if (!track) return;
    byId("track").value = track.number;
    this.#rows.forEach(({ path }, k) => path.setAttribute("d", curveOf(track, track.scores[k])));
    this.#cell = null;
    this.draw(this.#seconds);
  }

  #showOnsets() {
    this.#rows.forEach(({ line, onset, slider, count }, k) => {
      const value = this.analysis.onsets[k];
      line.style.bottom = `${100 * value}%`;
      if (slider.valueAsNumber !== value && slider !== document.activeElement) slider.value = value;
      slider.setAttribute("aria-valuetext", value.toFixed(3));
      onset.textContent = value.toFixed(3);
      count.textContent = counted(this.analysis.eventsOf[k].length, "event");
    });
    const { onsets, defaults } = this.analysis;
    byId("reset").disabled = onsets.every((value, k) => value === defaults[k]);
    this.#cell = null;
    this.draw(this.#seconds);
  }
}
