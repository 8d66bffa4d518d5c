// The page of `lilliput serve`: a video in, a timeline of its actions out.

import { ApiError, read, token } from "./api.js";
import { Analysis } from "./analysis.js";
import { bytes, byId, clock, counted, oncePerPaint, sentence } from "./dom.js";
import { saveCsv, saveJson } from "./download.js";
import { EventList } from "./event-list.js";
import { cancel, follow, send } from "./job.js";
import { clear, say, warn } from "./notice.js";
import { Overlay } from "./overlay.js";
import { Player } from "./player.js";
import { Scores } from "./scores.js";
import { Search } from "./search.js";
import { Timeline } from "./timeline.js";

const player = new Player();
const search = new Search((error) => fail(error));
let model = null;
let file = null; // the user's video
let isDetectorChosen = false; // by the user
let work = null; // {controller, job} while one is on its way
let views = null; // {analysis, overlay, timeline, scores} of the result that is shown

/** What the model and the server allow, for the text around the form. */
async function greet() {
  try {
    model = await read("v1/model");
  } catch (error) {
    byId("access").hidden = error.status !== 401;
    if (error.status !== 401 || token.get()) fail(error, greet);
    return;
  }
  byId("note").textContent = sentence(model.note ?? "");
  byId("note").hidden = !model.note;
  byId("limits").textContent = limitsInWords(model.limits);
  byId("access").hidden = true;
  byId("search").hidden = !model.has_database;
  byId("no-database").hidden = model.has_database;
  offerDetectors(model);
  search.offer(model.class_names);
}

/** What was chosen before the server told its default stays, where the server has it. */
function offerDetectors({ detectors, detector }) {
  const select = byId("detector");
  for (const option of [...select.options]) option.disabled = !detectors.includes(option.value);
  if (!isDetectorChosen || !detectors.includes(select.value)) select.value = detector;
}

function limitsInWords({ max_upload_bytes: size, max_duration_seconds: seconds }) {
  const most = `At most ${bytes(size)} and ${clock(seconds)} long`;
  return `${most}. The server deletes it once it has been watched.`;
}

/** Shows a failure; nothing that is on the page goes away. */
function fail(error, retry = null) {
  if (error.name === "AbortError") return;
  if (!(error instanceof ApiError)) console.error(error);
  if (error.status === 401) byId("access").hidden = false;
  const isLasting = [401, 413, 415].includes(error.status);
  const text = error instanceof ApiError ? error.message : `The page failed: ${error.message}`;
  warn(text, isLasting ? null : retry);
}

async function watch() {
  if (!file || work) return;
  clear();
  const limit = model?.limits.max_upload_bytes ?? Infinity;
  if (file.size > limit) {
    const reason = `is ${bytes(file.size)} large; this server takes at most ${bytes(limit)}.`;
    fail(new ApiError(413, `The file ${file.name} ${reason}`));
    return;
  }
  work = { controller: new AbortController(), job: null };
  setBusy(true);
  const video = file;
  try {
    const result = await sendAndFollow(video);
    say(`Done: ${show(result, video)}`);
  } catch (error) {
    say(error.name === "AbortError" ? "Cancelled." : "");
    fail(error, watch);
  } finally {
    work = null;
    setBusy(false);
  }
}

async function sendAndFollow(video) {
  const { signal } = work.controller;
  const onSent = (part) => {
    progress(part, part < 1 ? `Sending ${video.name}` : "Waiting for its turn");
  };
  onSent(0);
  work.job = await send(video, byId("detector").value, { onSent, signal });
  const seen = new Set();
  let latest = { progress: 0, speed: null };
  const tell = () => {
    const speed = latest.speed ? `, ${latest.speed.toFixed(1)} × real time` : "";
    progress(latest.progress, `Watching${speed}, ${counted(seen.size, "event")} so far`);
  };
  const onProgress = (data) => {
    latest = data;
    tell();
  };
  const onEvent = (data) => {
    seen.add((data.event ?? data).event_id);
    tell();
  };
  return follow(work.job, { onProgress, onEvent, signal });
}

let spokenAt = 0;

/** Moves the bar; screen readers hear of it every few seconds only. */
function progress(part, text) {
  byId("bar").value = part;
  byId("bar-text").textContent = `${Math.floor(100 * part)} % · ${text}`;
  if (performance.now() - spokenAt < 4000 && part > 0) return;
  spokenAt = performance.now();
  say(`${text}, ${Math.floor(100 * part)} percent`);
}

function setBusy(isBusy) {
  byId("progress").hidden = !isBusy;
  byId("again").hidden = isBusy || !file;
  byId("again").textContent = `Watch ${file?.name} again`;
  byId("file").disabled = isBusy;
  byId("detector").disabled = isBusy;
  byId("watch").classList.toggle("busy", isBusy);
}

/** Shows a result; returns it in a few words. */
function show(result, video) {
  const analysis = new Analysis(result, video.name);
  byId("result").hidden = false;
  byId("watch").classList.add("compact");
  byId("result-title").textContent = video.name;
  byId("about").textContent = aboutInWords(analysis);
  byId("no-tracks").hidden = analysis.tracks.length > 0;
  const choose = (event) => {
    analysis.selectEvent(event);
    player.seek(event.start);
  };
  views = {
    analysis,
    overlay: new Overlay(analysis),
    timeline: new Timeline(analysis, { onChoose: choose, onSeek: (at) => player.seek(at) }),
    scores: new Scores(analysis),
    list: new EventList(analysis, choose),
  };
  analysis.addEventListener("relabel", draw);
  analysis.addEventListener("select", draw);
  player.load(video, analysis.video);
  byId("result").focus();
  const { events, tracks } = analysis;
  return `${counted(events.length, "event")} of ${counted(tracks.length, "track")}.`;
}

function aboutInWords({ video, tracks, task, settings }) {
  return [
    `${video.width} × ${video.height} px`,
    `${Number(video.fps.toFixed(2))} frames per second`,
    clock(video.duration_seconds, 1),
    counted(tracks.length, "track"),
    settings.smoothing_seconds ? `smoothed over ${settings.smoothing_seconds} s` : "not smoothed",
    ...(task === "single" ? ["one action at a time"] : []),
  ].join(" · ");
}

const draw = oncePerPaint(() => {
  views?.overlay.draw(player.seconds);
  views?.timeline.draw(player.seconds);
  views?.scores.draw(player.seconds);
});

function take(chosen) {
  if (!chosen) return;
  if (work) {
    warn("One video at a time: cancel the one that is being watched first.");
    return;
  }
  file = chosen;
  watch();
}

function listenToDrops() {
  const drop = byId("drop");
  const isFile = (event) => event.dataTransfer?.types.includes("Files");
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (!isFile(event)) return;
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  // Anywhere on the page: a video dropped beside the field would else replace the page.
  document.addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
}

player.addEventListener("time", draw);
listenToDrops();
byId("file").addEventListener("change", () => take(byId("file").files[0]));
byId("file").addEventListener("click", () => { byId("file").value = ""; });
byId("detector").addEventListener("change", () => { isDetectorChosen = true; });
byId("again").addEventListener("click", watch);
byId("cancel").addEventListener("click", () => {
  work?.controller.abort();
  if (work?.job) cancel(work.job).catch(() => {});
});
byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token.set(byId("token").value.trim());
  byId("token").value = "";
  clear();
  greet();
});
byId("save-json").addEventListener("click", () => saveJson(views.analysis));
byId("save-csv").addEventListener("click", () => saveCsv(views.analysis));
greet();
