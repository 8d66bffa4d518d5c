// The events that the server has stored.

import { read } from "./api.js";
import { byId, clock, counted, trackName } from "./dom.js";
import { PAGE_SIZE, Pager, fill } from "./table.js";

const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export class Search {
  #latest = 0; // searches are numbered, so that a slow answer never replaces a later one
  #asked = null;

  /** `onError` gets what a search has failed with. */
  constructor(onError) {
    this.onError = onError;
    this.pager = new Pager(byId("found-pages"), (offset) => this.#find(offset));
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#asked = new FormData(byId("search"));
      this.#find(0);
    });
  }

  /** The names that the field for the action offers. */
  offer(classNames) {
    const options = classNames.toSorted().map((name) => new Option(name));
    byId("actions").replaceChildren(...options);
  }

  async #find(offset) {
    const query = new URLSearchParams({ limit: PAGE_SIZE, offset });
    for (const [name, value] of this.#asked) {
      if (value === "") continue;
      // The field has no time zone: it means the clock of whoever looks at it.
      const isTime = name === "since" || name === "until";
      query.set(name, isTime ? new Date(value).toISOString() : value.trim());
    }
    this.#latest += 1;
    const number = this.#latest;
    byId("found-status").textContent = "Searching…";
    try {
      const { events, total } = await read(`v1/events?${query}`);
      if (number === this.#latest) this.#show(events, offset, total);
    } catch (error) {
      if (number !== this.#latest) return;
      byId("found-status").textContent = "";
      this.onError(error);
    }
  }

  #show(events, offset, total) {
    byId("found-status").textContent =
      total === 0 ? "No stored event is like this." : `${counted(total, "event")} found.`;
    byId("found-scroll").hidden = total === 0;
    const rows = events.map((event) => [
      event.action,
      event.camera,
      trackName(event.track),
      event.started_at ? when.format(new Date(event.started_at)) : "unknown",
      `${clock(event.start_seconds, 1)} to ${clock(event.end_seconds, 1)}`,
      event.score.toFixed(2),
      event.source,
    ]);
    fill(byId("found"), rows);
    this.pager.show(offset, total);
  }
}
