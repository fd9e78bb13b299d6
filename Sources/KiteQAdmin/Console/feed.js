// A page's data that are asked for again and again, with a notice that says when they are old, and why.

import { fill, h } from "./dom.js";
import { duration } from "./format.js";
import { Poller } from "./poller.js";
import { localTime } from "./time.js";

export class Feed {
  /** Goes beside what the feed shows. Empty while all is well. */
  notice = h("div", { class: "notice" });
  #poller;
  #showsTime;
  #since = null;

  /** `every` in seconds, or null: once, with a button for more. `load(signal)` and `show(data)` are the page's. */
  constructor({ every, load, show }) {
    this.#showsTime = every === null;
    fill(this.notice, h("p", { class: "quiet" }, "Loading…"));
    this.#poller = new Poller({
      every,
      load,
      onData: (data) => {
        this.#since = Date.now();
        this.#tellGood();
        show(data);
      },
      onProblem: (problem, seconds) => this.#tellProblem(problem, seconds),
    });
  }

  start() {
    this.#poller.run();
    return this;
  }

  stop() {
    this.#poller.stop();
  }

  refresh() {
    this.#poller.now();
  }

  #tellGood() {
    if (!this.#showsTime) {
      if (this.notice.firstChild) fill(this.notice);
      return;
    }
    fill(this.notice, h("p", { class: "quiet" }, `As of ${localTime(this.#since)}. `, this.#button("Refresh")));
  }

  #tellProblem(problem, seconds) {
    const old = this.#since === null
      ? ""
      : ` What is shown is of ${localTime(this.#since)}, ${duration((Date.now() - this.#since) / 1000)} old.`;
    const next = seconds === null ? "" : ` Next try in ${duration(seconds)}. `;
    fill(
      this.notice,
      h("div", { class: "problem" }, h("p", {}, problem.message, old, next, " ", this.#button("Try now"))),
    );
  }

  #button(label) {
    return h("button", { type: "button", class: "plain", on: { click: () => this.refresh() } }, label);
  }
}
