// What the page says: one clear message when something failed, and how the work goes.

import { byId, make, sentence } from "./dom.js";

/** Shows a failure; `retry` is what its button does, if there is one. */
export function warn(text, retry = null) {
  const buttons = [make("button", { type: "button", onclick: clear }, "Close")];
  const again = () => {
    clear();
    retry();
  };
  if (retry) buttons.unshift(make("button", { type: "button", onclick: again }, "Try again"));
  const row = make("div", { class: "buttons" }, ...buttons);
  byId("alert").replaceChildren(make("p", {}, sentence(text)), row);
}

export const clear = () => byId("alert").replaceChildren();

/** Tells how the work goes, to screen readers as well. */
export function say(text) {
  if (byId("status").textContent !== text) byId("status").textContent = text;
}
