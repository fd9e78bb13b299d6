// A table that is shown again and again: rows are kept by key and cells changed only where they differ, so that the
// focus, a selection of text and the reader's place stay where they are.

import { fill, h, setText } from "./dom.js";

/**
 * Columns: { id, label, value(row), cell(row, current), sign(row), numeric, heading, sortable }.
 *
 * `value` is what is sorted by, and the text where there is no `cell`. `cell` gives nodes; it is called again only where
 * `sign` (or `value`) differs; `current()` is the row as it is now, for listeners. Roles are said in words because a
 * narrow screen shows rows as cards, which takes the table's own roles away.
 */
export class Table {
  element;
  #columns;
  #key;
  #empty;
  #sort = null;
  #rows = [];
  #entries = new Map();
  #head = new Map();
  #body = h("tbody", { role: "rowgroup" });
  #nothing = h("p", { class: "empty", hidden: true });

  constructor({ caption, columns, key, empty = "There are none." }) {
    this.#columns = columns;
    this.#key = key;
    this.#empty = empty;
    const heads = columns.map((column) => this.#heading(column));
    this.element = h(
      "div",
      { class: "table", hidden: true },
      h(
        "table",
        { role: "table" },
        h("caption", { class: "unseen" }, caption),
        h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
        this.#body,
      ),
      this.#nothing,
    );
  }

  /** Shows these rows in place of those before. Until the first time there is nothing to see. */
  show(rows) {
    this.#rows = rows;
    this.element.hidden = false;
    this.#arrange();
  }

  #heading(column) {
    const cell = h("th", { role: "columnheader", scope: "col", class: column.numeric ? "numeric" : null });
    this.#head.set(column.id, cell);
    if (column.sortable === false || !column.value) {
      cell.append(...(typeof column.label === "string" ? [h("span", {}, column.label)] : [column.label]));
    } else {
      cell.append(
        h("button", { type: "button", class: "sort", on: { click: () => this.#sortBy(column) } }, column.label),
      );
    }
    return cell;
  }

  #sortBy(column) {
    const again = this.#sort?.column === column;
    this.#sort = again ? (this.#sort.turned ? null : { column, turned: true }) : { column, turned: false };
    for (const [id, cell] of this.#head) {
      if (this.#sort?.column.id === id) cell.setAttribute("aria-sort", this.#ascending() ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
    this.#arrange();
  }

  /** Numbers begin with the largest, names with A. */
  #ascending() {
    return this.#sort.column.numeric ? this.#sort.turned : !this.#sort.turned;
  }

  #sorted() {
    if (!this.#sort) return this.#rows;
    const direction = this.#ascending() ? 1 : -1;
    const { value } = this.#sort.column;
    return [...this.#rows].sort((left, right) => compare(value(left), value(right), direction));
  }

  #arrange() {
    const focused = this.element.contains(document.activeElement) ? document.activeElement : null;
    const gone = new Set(this.#entries.keys());
    let place = this.#body.firstChild;
    for (const row of this.#sorted()) {
      const key = String(this.#key(row));
      gone.delete(key);
      const entry = this.#entries.get(key) ?? this.#newEntry(key);
      entry.row = row;
      this.#update(entry);
      if (entry.element === place) place = place.nextSibling;
      else this.#body.insertBefore(entry.element, place);
    }
    for (const key of gone) {
      this.#entries.get(key).element.remove();
      this.#entries.delete(key);
    }
    // A row that is moved loses the focus.
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    this.#nothing.hidden = this.#rows.length > 0;
    setText(this.#nothing, this.#empty);
    this.element.classList.toggle("has-none", this.#rows.length === 0);
  }

  #newEntry(key) {
    const cells = this.#columns.map((column) =>
      h(column.heading ? "th" : "td", {
        role: column.heading ? "rowheader" : "cell",
        scope: column.heading ? "row" : null,
        class: column.numeric ? "numeric" : null,
        "data-label": typeof column.label === "string" ? column.label : "",
      })
    );
    const entry = { element: h("tr", { role: "row", "data-key": key }, cells), cells, signs: [], row: null };
    this.#entries.set(key, entry);
    return entry;
  }

  #update(entry) {
    this.#columns.forEach((column, index) => {
      const sign = JSON.stringify(column.sign ? column.sign(entry.row) : column.value(entry.row)) ?? "";
      if (entry.signs[index] === sign) return;
      entry.signs[index] = sign;
      fill(entry.cells[index], column.cell ? column.cell(entry.row, () => entry.row) : column.value(entry.row));
    });
  }
}

/** Rows without a value come last in both directions. */
function compare(left, right, direction) {
  const hasLeft = left !== null && left !== undefined && left !== "";
  const hasRight = right !== null && right !== undefined && right !== "";
  if (!hasLeft || !hasRight) return Number(hasRight) - Number(hasLeft);
  return direction * (typeof left === "string" ? left.localeCompare(right, "en", { numeric: true }) : left - right);
}
