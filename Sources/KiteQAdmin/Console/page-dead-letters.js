// What could not be delivered, with requeue and delete.

import { h, setText } from "./dom.js";
import { askAboutAll, askAboutLetters } from "./dead-letter-acts.js";
import { deadLetterColumns, reasons } from "./dead-letter-columns.js";
import { number } from "./format.js";
import { chosen, filterForm, inWords } from "./filters.js";
import { Listing } from "./listing.js";
import { button, pageHead } from "./parts.js";

const fields = [
  { key: "topic", label: "Topic" },
  { key: "group", label: "Group" },
  { key: "reason", label: "Reason", kind: "choice", choices: [["", "any"], ...reasons] },
  { key: "from", label: "Died from", kind: "time" },
  { key: "before", label: "Died before", kind: "time" },
];

export function deadLetters(context) {
  const filter = chosen(context.query, fields);
  const picks = context.canOperate ? new Picks() : null;
  const changed = () => listing.refresh();
  const listing = new Listing(context, {
    every: null,
    segments: ["dead-letters"],
    kept: filter,
    load: (page, signal) => context.api.get(["dead-letters"], { ...filter, ...page }, signal),
    caption: "Dead letters",
    key: (letter) => letter.letter,
    empty: "No dead letter matches.",
    columns: [picks?.column, ...deadLetterColumns({ hasMessage: true })].filter(Boolean),
    shown: ({ items }) => picks?.offer(items),
  });
  const words = inWords(filter, fields);
  return [
    pageHead("Dead letters", "What could not be delivered, oldest first."),
    filterForm({
      label: "Filter dead letters",
      segments: ["dead-letters"],
      query: context.query,
      fields,
      submit: "Filter",
    }),
    picks && h(
      "div",
      { class: "toolbar", role: "group", "aria-label": "Act on dead letters" },
      picks.label,
      picks.button("Requeue selected…", (letters) => askAboutLetters(context, "requeue", letters, changed)),
      picks.button("Delete selected…", (letters) => askAboutLetters(context, "delete", letters, changed)),
      h("span", { class: "spring" }),
      button("Requeue all that match…", () => askAboutAll(context, "requeue", filter, words, changed)),
      button("Delete all that match…", () => askAboutAll(context, "delete", filter, words, changed)),
    ),
    listing.element,
  ].filter(Boolean);
}

/** The rows that are ticked. Only what is shown can be. */
class Picks {
  label = h("span", { class: "picked" });
  #picked = new Set();
  #offered = [];
  #buttons = [];
  #boxes = new Map();
  #all = h("input", { type: "checkbox", "aria-label": "Select all on this page" });

  constructor() {
    this.#all.addEventListener("change", () => {
      this.#picked = new Set(this.#all.checked ? this.#offered.map(({ letter }) => letter) : []);
      this.#show();
    });
  }

  get column() {
    return {
      id: "pick",
      label: this.#all,
      sortable: false,
      value: () => "",
      cell: (letter) => this.#box(letter.letter),
    };
  }

  button(label, click) {
    const element = button(label, () => click(this.#offered.filter(({ letter }) => this.#picked.has(letter))));
    this.#buttons.push(element);
    this.#show();
    return element;
  }

  offer(letters) {
    this.#offered = letters;
    const here = new Set(letters.map(({ letter }) => letter));
    for (const letter of this.#picked) if (!here.has(letter)) this.#picked.delete(letter);
    for (const letter of this.#boxes.keys()) if (!here.has(letter)) this.#boxes.delete(letter);
    this.#show();
  }

  #box(letter) {
    const box = h("input", { type: "checkbox", "aria-label": `Select ${letter}` });
    box.addEventListener("change", () => {
      if (box.checked) this.#picked.add(letter);
      else this.#picked.delete(letter);
      this.#show();
    });
    this.#boxes.set(letter, box);
    return box;
  }

  #show() {
    for (const [letter, box] of this.#boxes) box.checked = this.#picked.has(letter);
    for (const element of this.#buttons) element.disabled = this.#picked.size === 0;
    setText(this.label, `${number(this.#picked.size)} selected`);
    this.#all.checked = this.#offered.length > 0 && this.#picked.size === this.#offered.length;
    this.#all.indeterminate = this.#picked.size > 0 && !this.#all.checked;
  }
}
