// A table that shows a page of rows at a time.

import { make } from "./dom.js";

export const PAGE_SIZE = 25;

/** Fills a table's body with rows of cells; a cell is a text or an element, the first one heads. */
export function fill(table, rows) {
  const lines = rows.map(([head, ...rest]) => {
    const cells = rest.map((cell) => make("td", {}, cell));
    return make("tr", {}, make("th", { scope: "row" }, head), ...cells);
  });
  table.tBodies[0].replaceChildren(...lines);
}

/** The buttons beneath a table; `onTurn` gets the offset of the page that is asked for. */
export class Pager {
  constructor(element, onTurn) {
    this.element = element;
    this.onTurn = onTurn;
    this.earlier = this.#button("Previous", -1);
    this.later = this.#button("Next", 1);
    this.place = make("span");
    this.element.replaceChildren(this.earlier, this.place, this.later);
  }

  show(offset, total) {
    this.offset = offset;
    this.element.hidden = total <= PAGE_SIZE;
    this.earlier.disabled = offset === 0;
    this.later.disabled = offset + PAGE_SIZE >= total;
    this.place.textContent = `${offset + 1} to ${Math.min(offset + PAGE_SIZE, total)} of ${total}`;
  }

  #button(text, direction) {
    const turn = () => this.onTurn(Math.max(this.offset + direction * PAGE_SIZE, 0));
    return make("button", { type: "button", onclick: turn }, text);
  }
}
