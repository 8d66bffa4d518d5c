// Elements, and values as people read them.

/** The element of the page with this id. */
export const byId = (id) => document.getElementById(id);

/** A new element; attributes that are null or false are left out, text is never parsed. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** 64.25 as "1:04", with one digit "1:04.2"; rounded down, so that none is told too late. */
export function clock(seconds, digits = 0) {
  const factor = 10 ** digits;
  const units = Math.floor(Math.max(seconds, 0) * factor + 1e-6);
  const whole = Math.floor(units / factor);
  const rest = digits ? `.${String(units % factor).padStart(digits, "0")}` : "";
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = `${String(whole % 60).padStart(2, "0")}${rest}`;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** 5242880 as "5 MiB". */
export function bytes(count) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let power = 0;
  while (count >= 1024 && power < units.length - 1) {
    count /= 1024;
    power += 1;
  }
  return `${Number(count.toFixed(count < 10 ? 1 : 0))} ${units[power]}`;
}

/** "too large" as "Too large." */
export const sentence = (text) =>
  text && `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** "1 event", "2 events". */
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** The track of a video that nobody was looked for in. */
export const WHOLE_PICTURE = 0;

export const trackName = (number) =>
  number === WHOLE_PICTURE ? "whole picture" : `track ${number}`;

/** The class that colours a track. */
export const trackColour = (number) => `track-${number % 8}`;

/** Runs `work` at most once for each picture that the browser paints. */
export function oncePerPaint(work) {
  let isWaiting = false;
  return () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      work();
    });
  };
}
