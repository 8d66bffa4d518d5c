// Boxes over the stage, with what their tracks do; and the same in words beneath.

import { byId, make, trackColour, trackName } from "./dom.js";

const WIDTH_OF_LABELS = 90; // px of the stage for each; with less room only numbers are shown

const percent = (part, whole) => `${(100 * part) / whole}%`;

/** Two names at most, or the likeliest one, so that the boxes stay to be seen. */
function inShort(events) {
  const names = events.toSorted((a, b) => b.score - a.score).map((event) => event.action);
  return names.length > 2 ? [...names.slice(0, 1), `+${names.length - 1}`] : names;
}

export class Overlay {
  #boxes = new Map(); // by number of the track
  #words = "";

  constructor(analysis) {
    this.analysis = analysis;
    byId("overlay").replaceChildren();
    byId("overlay").onclick = (event) => {
      event.stopPropagation(); // else the stage would start to play
      analysis.selectTrack(Number(event.target.closest(".box").dataset.track));
    };
    byId("now").replaceChildren();
  }

  /** Draws the moment `seconds`. */
  draw(seconds) {
    const active = this.analysis.activeAt(seconds);
    const present = new Map();
    for (const track of this.analysis.tracks) {
      const box = track.boxAt(seconds);
      const drawn = this.#boxes.get(track.number);
      if (box) present.set(track.number, box);
      else if (drawn) drawn.hidden = true;
    }
    const room = byId("overlay").clientWidth / WIDTH_OF_LABELS;
    for (const [number, box] of present) {
      const isSelected = number === this.analysis.selected.track?.number;
      const events = active.get(number) ?? [];
      const element = this.#place(number, box);
      element.classList.toggle("selected", isSelected);
      element.classList.toggle("idle", events.length === 0);
      const words = isSelected || present.size <= room ? inShort(events) : [];
      const label = [number, ...words].join(" · ");
      if (element.firstChild.textContent !== label) element.firstChild.textContent = label;
    }
    this.#tell(active);
  }

  #place(number, [left, top, right, bottom]) {
    let element = this.#boxes.get(number);
    if (!element) {
      const colour = trackColour(number);
      element = make("div", { class: `box ${colour}`, "data-track": number }, make("span"));
      this.#boxes.set(number, element);
      byId("overlay").append(element);
    }
    const { width, height } = this.analysis.video;
    element.hidden = false;
    element.style.left = percent(left, width);
    element.style.top = percent(top, height);
    element.style.width = percent(right - left, width);
    element.style.height = percent(bottom - top, height);
    element.classList.toggle("high", top < 0.12 * height);
    element.classList.toggle("far", left > 0.6 * width);
    return element;
  }

  #tell(active) {
    const lines = [...active].map(([number, events]) => {
      return `${trackName(number)}: ${events.map((event) => event.action).join(", ")}`;
    });
    if (lines.join("\n") === this.#words) return;
    this.#words = lines.join("\n");
    const items = [...active.keys()].map((number, i) =>
      make("li", { class: trackColour(number) }, lines[i]),
    );
    byId("now").replaceChildren(...items);
  }
}
