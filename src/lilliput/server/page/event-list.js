// The events as a table.

import { byId, clock, make, oncePerPaint, trackName } from "./dom.js";
import { PAGE_SIZE, Pager, fill } from "./table.js";
import { nameOf } from "./timeline.js";

export class EventList {
  #offset = 0;

  /** `onChoose` gets the event that is chosen. */
  constructor(analysis, onChoose) {
    this.analysis = analysis;
    this.onChoose = onChoose;
    this.pager = new Pager(byId("event-pages"), (offset) => this.#show(offset));
    analysis.addEventListener("relabel", oncePerPaint(() => this.#show(this.#offset)));
    this.#show(0);
  }

  #show(offset) {
    const { events } = this.analysis;
    this.#offset = offset < events.length ? offset : 0;
    byId("event-scroll").hidden = events.length === 0;
    const page = events.slice(this.#offset, this.#offset + PAGE_SIZE);
    fill(byId("events"), page.map((event) => this.#row(event)));
    this.pager.show(this.#offset, events.length);
  }

  #row(event) {
    const choose = () => this.onChoose(event);
    const name = `${nameOf(event)}: show it`;
    const attributes = { type: "button", class: "link", "aria-label": name, onclick: choose };
    return [
      make("button", attributes, event.action),
      trackName(event.track),
      clock(event.start, 1),
      clock(event.end, 1),
      `${(event.end - event.start).toFixed(1)} s`,
      event.score.toFixed(2),
    ];
  }
}
