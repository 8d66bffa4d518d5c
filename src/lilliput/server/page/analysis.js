// What the server saw in a video, and the events under the thresholds of the moment.

import { WHOLE_PICTURE } from "./dom.js";
import { cellsOf, choose, smooth, spansOf, spansOfOne } from "./hysteresis.js";

/** The index of the last item whose `key` is not after `seconds`; -1 before the first. */
function lastBefore(items, seconds, key) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(items[middle]) <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** One track of the result, ready to be asked what it did at a moment. */
class Track {
  constructor(raw, numClasses, smoothingSeconds) {
    this.number = raw.track;
    this.start = raw.start_seconds;
    this.end = raw.end_seconds;
    this.boxes = raw.track === WHOLE_PICTURE ? [] : raw.boxes;
    this.cells = cellsOf(raw);
    this.scores = Array.from({ length: numClasses }, (_, k) => smooth(raw, k, smoothingSeconds));
    this.chosen = null; // the class of each cell, where there is one action at a time
  }

  /** [left, top, right, bottom] in px, between its samples; null where it is not in the picture. */
  boxAt(seconds) {
    if (seconds < this.start || seconds > this.end || this.boxes.length === 0) return null;
    const index = Math.max(lastBefore(this.boxes, seconds, (box) => box[0]), 0);
    const [since, ...box] = this.boxes[index];
    const next = this.boxes[index + 1];
    if (!next || seconds <= since) return box;
    const part = (seconds - since) / (next[0] - since);
    return box.map((side, i) => side + part * (next[i + 1] - side));
  }

  /** The index of the cell that holds at a moment; -1 outside. */
  cellAt(seconds) {
    if (seconds < this.start || seconds > this.end) return -1;
    return lastBefore(this.cells, seconds, (cell) => cell.start);
  }
}

/** Fires "relabel", with `detail` the index of the class or null for all, and "select". */
export class Analysis extends EventTarget {
  /**
   * @param result Of the server's job.
   * @param fileName Of the user's video.
   */
  constructor(result, fileName) {
    super();
    this.fileName = fileName;
    this.video = result.video;
    this.task = result.task;
    this.settings = result.settings;
    this.classNames = result.class_names;
    this.defaults = result.thresholds;
    this.tracks = result.tracks.map(
      (track) => new Track(track, this.classNames.length, this.settings.smoothing_seconds),
    );
    this.onsets = [...this.defaults];
    this.eventsOf = this.#labelAll();
    this.selected = { track: this.tracks[0] ?? null, event: null };
  }

  /** All events in order of time. */
  get events() {
    return this.eventsOf.flat().sort((a, b) => a.start - b.start || a.track - b.track);
  }

  /** The most that any track reaches of a class. */
  peakOf(k) {
    const peaks = this.tracks.map(({ scores }) => scores[k].reduce((a, b) => Math.max(a, b), 0));
    return peaks.reduce((a, b) => Math.max(a, b), 0);
  }

  /** The events that go on at a moment, by number of the track. */
  activeAt(seconds) {
    const active = new Map();
    for (const event of this.eventsOf.flat()) {
      if (event.start > seconds || event.end <= seconds) continue;
      if (!active.has(event.track)) active.set(event.track, []);
      active.get(event.track).push(event);
    }
    return active;
  }

  /** Whether a class passes its threshold in a cell of a track, and no other one excludes it. */
  isOn(track, k, cell) {
    return track.chosen ? track.chosen[cell] === k : track.scores[k][cell] > this.onsets[k];
  }

  setOnset(k, onset) {
    this.onsets[k] = onset;
    const isAlone = this.task !== "single"; // else another class takes over
    if (isAlone) this.eventsOf[k] = this.#label(k);
    else this.eventsOf = this.#labelAll();
    this.dispatchEvent(new CustomEvent("relabel", { detail: isAlone ? k : null }));
  }

  reset() {
    this.onsets = [...this.defaults];
    this.eventsOf = this.#labelAll();
    this.dispatchEvent(new CustomEvent("relabel", { detail: null }));
  }

  selectTrack(number) {
    this.selected = { track: this.#track(number), event: null };
    this.dispatchEvent(new CustomEvent("select"));
  }

  selectEvent(event) {
    this.selected = { track: this.#track(event.track), event };
    this.dispatchEvent(new CustomEvent("select"));
  }

  #track(number) {
    return this.tracks.find((track) => track.number === number) ?? null;
  }

  /** The events of every class. */
  #labelAll() {
    if (this.task !== "single") return this.onsets.map((_, k) => this.#label(k));
    const found = this.tracks.map((track) => {
      const { cells, scores } = track;
      track.chosen = cells.length ? choose(scores, this.onsets, this.settings.offset_ratio) : [];
      return spansOfOne(cells, scores, track.chosen, this.settings);
    });
    return this.onsets.map((_, k) =>
      this.tracks.flatMap((track, i) => this.#eventsOf(k, track, found[i][k])),
    );
  }

  #label(k) {
    return this.tracks.flatMap((track) => {
      const spans = spansOf(track.cells, track.scores[k], this.onsets[k], this.settings);
      return this.#eventsOf(k, track, spans);
    });
  }

  #eventsOf(k, track, spans) {
    return spans.map((span) => ({ ...span, action: this.classNames[k], track: track.number }));
  }
}
