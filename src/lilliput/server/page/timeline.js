// One lane for each action; events that overlap lie in rows beneath each other.

import { byId, clock, counted, make, oncePerPaint, trackColour, trackName } from "./dom.js";

const TICKS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const ROW_REM = 1.75; // height of a row
const TICK_WIDTH = 64; // px, at least
const SMALLEST = 1 / 150; // of the lane's width; shorter events are drawn this long

/** What a screen reader says of an event. */
export const nameOf = ({ action, track, start, end, score }) =>
  `${action}, ${trackName(track)}, ${clock(start)} to ${clock(end)}, score ${score.toFixed(2)}`;

export class Timeline {
  #lanes = new Map(); // index of the class → its element
  #buttons = new Map(); // event → its element
  #stale = new Set();

  /** `onChoose` gets the event that is chosen, `onSeek` the moment that is. */
  constructor(analysis, { onChoose, onSeek }) {
    this.analysis = analysis;
    this.duration = analysis.video.duration_seconds;
    this.onChoose = onChoose;
    this.lanes = byId("lanes");
    this.lanes.replaceChildren();
    this.lanes.onkeydown = (event) => this.#move(event);
    this.lanes.onclick = (event) => {
      if (event.target.closest("button")) return;
      const { left, width } = this.lanes.getBoundingClientRect();
      onSeek(((event.clientX - left) / width) * this.duration);
    };
    byId("zoom").value = 1;
    byId("zoom").oninput = () => this.#zoom();
    window.onresize = oncePerPaint(() => this.#rule());
    this.#zoom();
    analysis.addEventListener("select", () => this.#mark());
    const refresh = oncePerPaint(() => this.#refresh());
    analysis.addEventListener("relabel", ({ detail }) => {
      const all = analysis.classNames.keys();
      for (const k of detail === null ? all : [detail]) this.#stale.add(k);
      refresh();
    });
  }

  /** Puts the playhead at `seconds`. */
  draw(seconds) {
    byId("playhead").style.left = `${(100 * seconds) / this.duration}%`;
  }

  #zoom() {
    const zoom = byId("zoom").valueAsNumber;
    this.shortest = (SMALLEST * this.duration) / zoom;
    byId("track-of-time").style.setProperty("--zoom", zoom);
    this.#rule();
    for (const k of this.analysis.classNames.keys()) this.#stale.add(k);
    this.#refresh();
  }

  /** Draws the scale of time, as fine as there is room for. */
  #rule() {
    const room = Math.max(this.lanes.clientWidth / TICK_WIDTH, 1);
    const step = TICKS.find((tick) => this.duration / tick <= room) ?? this.duration / room;
    const ticks = [];
    for (let at = 0; at < this.duration * 0.97; at += step) {
      const tick = make("span", {}, clock(at, step < 1 ? 1 : 0));
      tick.style.left = `${(100 * at) / this.duration}%`;
      ticks.push(tick);
    }
    byId("ticks").replaceChildren(...ticks);
  }

  #refresh() {
    const focused = [...this.#buttons].find(([, button]) => button === document.activeElement)?.[0];
    for (const k of this.#stale) this.#rebuild(k);
    this.#stale.clear();
    const order = [...this.#lanes.keys()].sort((a, b) => a - b);
    order.forEach((k, i) => {
      const lane = this.#lanes.get(k);
      if (this.lanes.children[i] !== lane) this.lanes.insertBefore(lane, this.lanes.children[i]);
    });
    byId("no-events").hidden = this.#lanes.size > 0;
    byId("num-events").textContent = counted(this.#buttons.size, "event");
    this.#mark(focused);
  }

  #rebuild(k) {
    this.#lanes.get(k)?.remove();
    this.#lanes.delete(k);
    for (const event of this.#buttons.keys()) {
      if (event.action === this.analysis.classNames[k]) this.#buttons.delete(event);
    }
    const events = this.analysis.eventsOf[k].toSorted((a, b) => a.start - b.start);
    if (events.length === 0) return;
    const bars = make("div", { class: "bars" });
    const rows = []; // where each row is free from
    for (const event of events) {
      const end = Math.max(event.end, event.start + this.shortest);
      const free = rows.findIndex((since) => since <= event.start);
      const row = free < 0 ? rows.length : free;
      rows[row] = end;
      bars.append(this.#bar(event, row, end));
    }
    bars.style.height = `${ROW_REM * rows.length}rem`;
    const name = this.analysis.classNames[k];
    const hidden = { class: "lane-name", "aria-hidden": "true" };
    const title = make("div", hidden, make("span", {}, name));
    const label = `${name}, ${counted(events.length, "event")}`;
    const lane = make("div", { class: "lane", role: "group", "aria-label": label }, title, bars);
    this.#lanes.set(k, lane);
  }

  #bar(event, row, end) {
    const name = nameOf(event);
    const button = make(
      "button",
      {
        type: "button",
        class: `bar ${trackColour(event.track)}`,
        "aria-label": name,
        title: name,
        tabindex: -1,
        onclick: () => this.onChoose(event),
      },
      make("span", {}, event.track || ""),
    );
    button.style.left = `${(100 * event.start) / this.duration}%`;
    button.style.width = `${(100 * (end - event.start)) / this.duration}%`;
    button.style.top = `${ROW_REM * row}rem`;
    this.#buttons.set(event, button);
    return button;
  }

  /** Marks the chosen event; it, or else the first one, is the one that Tab reaches. */
  #mark(focused = null) {
    const find = (wanted) =>
      wanted && [...this.#buttons.keys()].find((event) => isSame(event, wanted));
    const chosen = find(this.analysis.selected.event);
    const reached = find(focused) ?? chosen ?? this.analysis.events[0];
    for (const [event, button] of this.#buttons) {
      button.tabIndex = event === reached ? 0 : -1;
      if (event === chosen) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    if (focused) this.#buttons.get(reached)?.focus();
  }

  /** Left and right go through a lane in time, up and down to the next lane's nearest event. */
  #move(key) {
    const button = key.target.closest("button");
    const current = [...this.#buttons].find(([, element]) => element === button)?.[0];
    const next = current && this.#neighbour(current, key.key);
    if (!next) return;
    key.preventDefault();
    button.tabIndex = -1;
    const target = this.#buttons.get(next);
    target.tabIndex = 0;
    target.focus();
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #neighbour(current, key) {
    const lanes = this.analysis.eventsOf
      .filter((events) => events.length > 0)
      .map((events) => events.toSorted((a, b) => a.start - b.start));
    const row = lanes.findIndex((events) => events.includes(current));
    const at = lanes[row].indexOf(current);
    const nearest = (events) =>
      events?.reduce((best, event) =>
        Math.abs(event.start - current.start) < Math.abs(best.start - current.start) ? event : best,
      );
    switch (key) {
      case "ArrowLeft": return lanes[row][at - 1];
      case "ArrowRight": return lanes[row][at + 1];
      case "ArrowUp": return nearest(lanes[row - 1]);
      case "ArrowDown": return nearest(lanes[row + 1]);
      case "Home": return lanes[row][0];
      case "End": return lanes[row].at(-1);
      default: return undefined;
    }
  }
}

/** Whether they are one event under different thresholds. */
const isSame = (a, b) =>
  a === b || (a.action === b.action && a.track === b.track && a.start < b.end && b.start < a.end);
