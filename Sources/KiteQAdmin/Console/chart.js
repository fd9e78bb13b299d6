// Charts over time in SVG: axes with units, a readout under the pointer, and the same in words and as a table.

import { fill, h, setText } from "./dom.js";
import { niceScale, timeLabel, timeMarks } from "./chart-scale.js";
import { localTime } from "./time.js";

const space = { right: 14, top: 10, bottom: 24 };
const height = 210;

export class Chart {
  element;
  #title;
  #unit;
  #kind;
  #format;
  #series;
  #points = [];
  #span = { from: 0, until: 1, step: null };
  #width = 0;
  /** Room for the marks of the values, in pixels. */
  #left = 40;
  /** Where the pointer is over the chart, in the window. */
  #pointer = null;
  #svg = h("svg", { role: "img", height });
  #readout = h("p", { class: "readout" });
  #rule = h("line", { class: "rule" });
  #values = h("div", { class: "values" });
  #details;

  /**
   * `kind` is "lines" or "bars" (the first series only). Series: { key, label, tone }. Points: { at, [key]: value }, `at` in
   * milliseconds; a null value is a gap. `format(value)` writes a value without its unit.
   */
  constructor({ title, unit, kind, series, format }) {
    this.#title = title;
    this.#unit = unit;
    this.#kind = kind;
    this.#series = series;
    this.#format = format;
    this.#details = h(
      "details",
      { on: { toggle: () => this.#tabulate() } },
      h("summary", {}, "The values as a table"),
      this.#values,
    );
    this.element = h(
      "figure",
      { class: "chart" },
      h(
        "figcaption",
        {},
        h("span", { class: "chart-title" }, title),
        h("span", { class: "unit" }, ` ${unit}`),
        this.#legend(),
      ),
      this.#svg,
      this.#readout,
      this.#details,
    );
    this.#svg.addEventListener("pointermove", (event) => this.#point(event.clientX));
    this.#svg.addEventListener("pointerleave", () => this.#point(null));
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width);
      if (width === this.#width) return;
      this.#width = width;
      this.#draw();
    }).observe(this.element);
  }

  /** Shows these points between `from` and `until`; `step` is a bar's length. All in milliseconds. */
  show(points, span, series = this.#series) {
    this.#points = points;
    this.#span = span;
    this.#series = series;
    this.#draw();
    if (this.#details.open) this.#tabulate();
  }

  /** Names what is shown where that changes. */
  rename(title, unit) {
    this.#title = title;
    this.#unit = unit;
    setText(this.element.querySelector(".chart-title"), title);
    setText(this.element.querySelector(".unit"), ` ${unit}`);
  }

  #legend() {
    if (this.#kind === "bars") return null;
    return h(
      "ul",
      { class: "legend" },
      this.#series.map(({ label, tone }) =>
        h(
          "li",
          {},
          h(
            "svg",
            { class: "key", width: 26, height: 8, "aria-hidden": "true" },
            h("line", { class: `line ${tone}`, x1: 0, x2: 26, y1: 4, y2: 4 }),
          ),
          label,
        )
      ),
    );
  }

  #x(at) {
    const { from, until } = this.#span;
    return this.#left + (at - from) / (until - from) * (this.#width - this.#left - space.right);
  }

  #draw() {
    if (this.#width < 100) return;
    const scale = niceScale(
      Math.max(0, ...this.#points.flatMap((point) => this.#series.map(({ key }) => point[key] ?? 0))),
    );
    const longest = Math.max(this.#format(scale.maximum).length, this.#format(scale.step).length);
    this.#left = 16 + 7.5 * longest;
    const bottom = height - space.bottom;
    const y = (value) => bottom - value / scale.maximum * (bottom - space.top);
    this.#svg.setAttribute("viewBox", `0 0 ${this.#width} ${height}`);
    this.#svg.setAttribute("width", this.#width);
    this.#svg.setAttribute("aria-label", this.#inWords());
    fill(
      this.#svg,
      this.#grid(scale, y),
      this.#times(bottom),
      this.#kind === "bars" ? this.#bars(y) : this.#lines(y),
      this.#rule,
    );
    this.#point(this.#pointer);
  }

  #grid(scale, y) {
    const marks = [];
    for (let value = 0; value <= scale.maximum * 1.0001; value += scale.step) {
      marks.push(
        h("line", {
          class: value === 0 ? "axis" : "grid",
          x1: this.#left,
          x2: this.#width - space.right,
          y1: y(value),
          y2: y(value),
        }),
      );
      marks.push(h("text", { class: "mark y", x: this.#left - 8, y: y(value) + 4 }, this.#format(value)));
    }
    return marks;
  }

  #times(bottom) {
    const { step, marks } = timeMarks(this.#span.from, this.#span.until, Math.max(2, Math.floor(this.#width / 95)));
    return marks.map((at) => [
      h("line", { class: "axis", x1: this.#x(at), x2: this.#x(at), y1: bottom, y2: bottom + 4 }),
      h("text", { class: `mark ${this.#anchor(at)}`, x: this.#x(at), y: bottom + 17 }, timeLabel(at, step)),
    ]);
  }

  #anchor(at) {
    if (this.#x(at) > this.#width - 40) return "end";
    return this.#x(at) < this.#left + 20 ? "start" : "middle";
  }

  #lines(y) {
    return this.#series.map(({ key, tone }) => {
      let path = "";
      let open = false;
      for (const point of this.#points) {
        const value = point[key];
        if (value === null || value === undefined) {
          open = false;
          continue;
        }
        path += `${open ? "L" : "M"}${this.#x(point.at).toFixed(1)} ${y(value).toFixed(1)}`;
        open = true;
      }
      return h("path", { class: `line ${tone}`, d: path });
    });
  }

  #bars(y) {
    const [{ key, tone }] = this.#series;
    const wide = this.#x(this.#span.from + this.#span.step) - this.#x(this.#span.from);
    const gap = wide > 4 ? 1 : 0;
    return this.#points.filter((point) => point[key] > 0).map((point) => {
      // What is there at all is seen, however small.
      const top = Math.min(y(point[key]), y(0) - 1.5);
      const left = Math.max(this.#x(point.at), this.#left);
      const right = Math.min(this.#x(point.at) + wide - gap, this.#width - space.right);
      return h("rect", {
        class: `bar ${tone}`,
        x: left.toFixed(1),
        y: top.toFixed(1),
        width: Math.max(0.5, right - left).toFixed(1),
        height: (y(0) - top).toFixed(1),
      });
    });
  }

  /** Says what is under the pointer, or else how it stands. */
  #point(clientX) {
    this.#pointer = clientX;
    this.#rule.classList.toggle("seen", clientX !== null);
    if (clientX === null) {
      setText(this.#readout, this.#summary());
      return;
    }
    const box = this.#svg.getBoundingClientRect();
    const { from, until, step } = this.#span;
    const at = from + (clientX - box.left - this.#left) / (this.#width - this.#left - space.right) * (until - from);
    const point = this.#nearest(at - (step ?? 0) / 2);
    if (!point) return;
    const x = this.#x(point.at + (step ?? 0) / 2);
    for (const [key, value] of Object.entries({ x1: x, x2: x, y1: space.top, y2: height - space.bottom })) {
      this.#rule.setAttribute(key, value);
    }
    const values = this.#series.map(({ key, label }) => `${label} ${this.#write(point[key])}`);
    setText(this.#readout, `${localTime(point.at)}: ${values.join(" · ")}`);
  }

  #nearest(at) {
    let best = null;
    for (const point of this.#points) if (!best || Math.abs(point.at - at) < Math.abs(best.at - at)) best = point;
    return best;
  }

  #write(value) {
    return value === null || value === undefined ? "unknown" : `${this.#format(value)} ${this.#unit}`;
  }

  #inWords() {
    return `${this.#title}, ${this.#unit}. ${this.#summary()}`;
  }

  /** The newest and the highest value of each series. */
  #summary() {
    const known = this.#points.filter((point) =>
      this.#series.some(({ key }) => point[key] !== null && point[key] !== undefined)
    );
    if (known.length === 0) return "No values yet.";
    return this.#series.map(({ key, label }) => {
      const highest = known.reduce((best, point) => ((point[key] ?? -1) > (best[key] ?? -1) ? point : best));
      if (!highest[key]) return `${label}: none`;
      return `${label}: last ${this.#format(known.at(-1)[key] ?? 0)}, highest ${this.#format(highest[key])} at ${
        localTime(highest.at)
      }`;
    }).join(" · ");
  }

  #tabulate() {
    if (!this.#details.open) return;
    const rows = [...this.#points].reverse().slice(0, 400);
    fill(
      this.#values,
      h(
        "table",
        { class: "plain-table" },
        h("caption", { class: "unseen" }, `${this.#title}, ${this.#unit}, newest first`),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "Time"),
            this.#series.map(({ label }) => h("th", { scope: "col", class: "numeric" }, label)),
          ),
        ),
        h(
          "tbody",
          {},
          rows.map((point) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, localTime(point.at)),
              this.#series.map(({ key }) =>
                h(
                  "td",
                  { class: "numeric" },
                  point[key] === null || point[key] === undefined ? "–" : this.#format(point[key]),
                )
              ),
            )
          ),
        ),
      ),
    );
  }
}
