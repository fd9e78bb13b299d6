// Messages in steps of time, from the store: a measure is chosen by its total, a span by a button.

import { Chart } from "./chart.js";
import { fill, h } from "./dom.js";
import { number } from "./format.js";
import { brokerNow } from "./time.js";

// The broker keeps samples of five minutes.
const spans = [
  { key: "week", label: "Week", seconds: 7 * 86_400, step: 3600 },
  { key: "day", label: "Day", seconds: 86_400, step: 900 },
  { key: "hour", label: "Hour", seconds: 3600, step: 300 },
];
const measures = [
  { key: "published", label: "Published", tone: "first" },
  { key: "delivered", label: "Delivered", tone: "first" },
  { key: "acknowledged", label: "Acknowledged", tone: "first" },
  { key: "deadLettered", label: "Dead-lettered", tone: "bad" },
];

export class HistoryChart {
  element;
  #context;
  #topic;
  #span = spans[0];
  #measure = measures[0];
  #points = [];
  #feed;
  #totals = h("div", { class: "measures", role: "group", "aria-label": "What is shown" });
  #chart = new Chart({
    title: "Published",
    unit: "messages an hour",
    kind: "bars",
    format: number,
    series: [measures[0]],
  });

  constructor(context, topic = null) {
    this.#context = context;
    this.#topic = topic;
    this.#feed = context.feed({
      every: 30,
      load: (signal) => this.#load(signal),
      show: (history) => this.#take(history),
    });
    this.element = h(
      "div",
      { class: "history" },
      this.#spanButtons(),
      this.#feed.notice,
      this.#totals,
      this.#chart.element,
    );
    this.#showTotals();
  }

  #spanButtons() {
    const buttons = spans.map((span) => {
      const element = h("button", { type: "button", "aria-pressed": String(span === this.#span) }, span.label);
      element.addEventListener("click", () => {
        this.#span = span;
        for (const each of buttons) each.setAttribute("aria-pressed", String(each === element));
        this.#feed.refresh();
      });
      return element;
    });
    return h("div", { class: "spans", role: "group", "aria-label": "How far back" }, buttons);
  }

  async #load(signal) {
    const span = this.#span;
    const step = span.step * 1000;
    const until = brokerNow();
    const from = Math.floor((until - span.seconds * 1000) / step) * step;
    const history = await this.#context.api.get(
      ["history"],
      {
        from: new Date(from).toISOString(),
        until: new Date(until).toISOString(),
        step: span.step,
        topic: this.#topic ?? "",
      },
      signal,
    );
    return { history, span, from, until };
  }

  #take({ history, span, from, until }) {
    if (span !== this.#span) return;
    const step = history.step * 1000;
    this.#points = history.items.map((item) => ({ ...item, at: Date.parse(item.at) }));
    this.#shownSpan = { from, until: Math.max(until, from + step), step };
    this.#showTotals();
    this.#draw();
  }
  #shownSpan = null;

  #draw() {
    if (!this.#shownSpan) return;
    this.#chart.rename(this.#measure.label, `messages ${perStep(this.#shownSpan.step / 1000)}`);
    this.#chart.show(this.#points, this.#shownSpan, [this.#measure]);
  }

  #showTotals() {
    if (this.#totals.childElementCount === 0) {
      fill(
        this.#totals,
        measures.map((measure) => {
          const element = h(
            "button",
            { type: "button", "aria-pressed": String(measure === this.#measure), "data-measure": measure.key },
            h("span", {}, measure.label),
            h("strong", {}, "–"),
          );
          element.addEventListener("click", () => {
            this.#measure = measure;
            for (const each of this.#totals.children) each.setAttribute("aria-pressed", String(each === element));
            this.#draw();
          });
          return element;
        }),
      );
    }
    for (const measure of measures) {
      const total = this.#points.reduce((sum, point) => sum + point[measure.key], 0);
      this.#totals.querySelector(`[data-measure=${measure.key}] strong`).textContent = this.#shownSpan
        ? number(total)
        : "–";
    }
  }
}

/** As the broker answered: it may take a longer step than was asked for. */
function perStep(seconds) {
  if (seconds === 3600) return "an hour";
  return seconds === 86_400 ? "a day" : `in ${seconds / 60} minutes`;
}
