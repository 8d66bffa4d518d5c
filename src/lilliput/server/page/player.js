// The user's own file on a stage; a bare clock where the browser cannot play it.

import { byId, clock } from "./dom.js";

/** Fires "time" whenever the moment has changed. */
export class Player extends EventTarget {
  #video = byId("video");
  #scrubber = byId("scrubber");
  #button = byId("play");
  #url = null;
  #clock = null; // {seconds, startedAt} of the bare clock; null while the video leads
  #isPlaying = false;
  duration = 0;
  seconds = 0;

  constructor() {
    super();
    this.#button.addEventListener("click", () => this.toggle());
    this.#scrubber.addEventListener("input", () => this.seek(this.#scrubber.valueAsNumber));
    byId("rate").addEventListener("change", () => this.#setRate());
    byId("fullscreen").addEventListener("click", () => this.#toggleFullscreen());
    byId("stage").addEventListener("click", () => this.toggle());
    for (const name of ["seeked", "timeupdate", "loadeddata"]) {
      this.#video.addEventListener(name, () => this.#follow(this.#video.currentTime));
    }
    for (const name of ["play", "pause", "ended"]) {
      this.#video.addEventListener(name, () => this.#show(!this.#video.paused));
    }
    this.#video.addEventListener("error", () => this.#useClock());
    this.#video.addEventListener("loadedmetadata", () => this.#fitStage());
    this.#watchFrames();
  }

  /** Shows a file; `info` is what the server says of it. */
  load(file, info) {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.duration = info.duration_seconds;
    this.#clock = null;
    this.seconds = 0;
    this.#scrubber.max = this.duration;
    byId("unplayable").hidden = true;
    byId("stage").classList.remove("plain");
    byId("stage").classList.toggle("coarse", Math.max(info.width, info.height) < 200);
    byId("stage").style.setProperty("--aspect", info.width / info.height);
    this.#url = URL.createObjectURL(file);
    this.#video.src = this.#url;
    this.#setRate();
    this.#follow(0);
  }

  seek(seconds) {
    const moment = Math.min(Math.max(seconds, 0), this.duration);
    if (this.#clock) this.#clock = { seconds: moment, startedAt: performance.now() };
    else this.#video.currentTime = moment;
    this.#follow(moment);
  }

  toggle() {
    if (this.#clock) this.#run(!this.#isPlaying);
    else if (this.#video.paused) this.#video.play().catch(() => this.#show(false));
    else this.#video.pause();
  }

  #useClock() {
    if (!this.#video.getAttribute("src") || this.#clock) return;
    this.#clock = { seconds: this.seconds, startedAt: performance.now() };
    byId("unplayable").hidden = false;
    byId("stage").classList.add("plain");
    this.#show(false);
  }

  #fitStage() {
    const { videoWidth, videoHeight } = this.#video;
    // Where there is sound alone, the browser lacks the codec of the pictures.
    if (videoWidth === 0) this.#useClock();
    else byId("stage").style.setProperty("--aspect", videoWidth / videoHeight);
  }

  #setRate() {
    const rate = Number(byId("rate").value);
    this.#video.defaultPlaybackRate = rate;
    this.#video.playbackRate = rate;
    if (this.#clock) this.#clock = { seconds: this.seconds, startedAt: performance.now() };
  }

  #run(isPlaying) {
    if (isPlaying && this.seconds >= this.duration) this.seconds = 0;
    this.#clock = { seconds: this.seconds, startedAt: performance.now() };
    this.#show(isPlaying);
    if (isPlaying) requestAnimationFrame(() => this.#tick());
  }

  #tick() {
    if (!this.#clock || !this.#isPlaying) return;
    const passed = (performance.now() - this.#clock.startedAt) / 1000;
    const moment = this.#clock.seconds + passed * Number(byId("rate").value);
    this.#follow(Math.min(moment, this.duration));
    if (moment >= this.duration) this.#show(false);
    else requestAnimationFrame(() => this.#tick());
  }

  #watchFrames() {
    if (!("requestVideoFrameCallback" in this.#video)) return;
    const onFrame = (_, { mediaTime }) => {
      if (!this.#video.seeking) this.#follow(mediaTime);
      this.#video.requestVideoFrameCallback(onFrame);
    };
    this.#video.requestVideoFrameCallback(onFrame);
  }

  #follow(seconds) {
    this.seconds = seconds;
    this.#scrubber.value = seconds;
    this.#scrubber.setAttribute("aria-valuetext", `${clock(seconds)} of ${clock(this.duration)}`);
    byId("time").textContent = `${clock(seconds, 1)} / ${clock(this.duration, 1)}`;
    this.dispatchEvent(new Event("time"));
  }

  #show(isPlaying) {
    this.#isPlaying = isPlaying;
    this.#button.textContent = isPlaying ? "Pause" : "Play";
  }

  #toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else byId("viewer").requestFullscreen?.();
  }
}
