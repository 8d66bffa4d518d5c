// The events under the thresholds of the moment, as files; made here, sent nowhere.

import { make } from "./dom.js";

const round = (value, digits) => Number(value.toFixed(digits));

/** The events as the server would tell them. */
export function recordsOf(analysis) {
  return analysis.events.map(({ action, track, start, end, score }) => ({
    source: analysis.fileName,
    track,
    action,
    score: round(score, 4),
    start_seconds: round(start, 3),
    end_seconds: round(end, 3),
  }));
}

export function saveJson(analysis) {
  const onsets = analysis.classNames.map((name, k) => [name, round(analysis.onsets[k], 4)]);
  const whole = {
    video: { file: analysis.fileName, ...analysis.video },
    task: analysis.task,
    settings: { ...analysis.settings, onset: Object.fromEntries(onsets) },
    events: recordsOf(analysis),
  };
  const text = `${JSON.stringify(whole, null, 1)}\n`;
  save(`${stemOf(analysis)}-events.json`, "application/json", text);
}

export function saveCsv(analysis) {
  const columns = ["source", "track", "action", "score", "start_seconds", "end_seconds"];
  const lines = [columns, ...recordsOf(analysis).map((record) => columns.map((c) => record[c]))];
  const text = lines.map((cells) => cells.map(quote).join(",")).join("\r\n");
  save(`${stemOf(analysis)}-events.csv`, "text/csv", `${text}\r\n`);
}

/** A cell of a CSV file; one that a spreadsheet would take for a formula becomes a text. */
function quote(value) {
  const text = typeof value === "string" ? value.replace(/^(?=[=+\-@\t\r])/, "'") : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const stemOf = (analysis) => analysis.fileName.replace(/\.[^.]*$/, "") || "video";

function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
