// The broker's overview as it came, and the rates of the last ten minutes. They are kept here, by the page, alone.

const kept = 10 * 60_000;
const rates = ["published", "delivered", "acknowledged", "failed"];

export class Live {
  overview = null;
  /** { at, published, delivered, acknowledged, failed }; nulls are a gap. Oldest first. */
  samples = [];
  #listeners = new Set();

  take(overview) {
    const at = Date.parse(overview.now);
    const last = this.samples.at(-1);
    const isOther = this.overview &&
      (this.overview.broker.name !== overview.broker.name || this.overview.startedAt !== overview.startedAt);
    if (isOther) this.samples = [];
    else if (last && overview.rates && at - last.at > 40_000) {
      this.samples.push({ at: last.at + 1, ...Object.fromEntries(rates.map((each) => [each, null])) });
    }
    // A token for some topics or groups alone does not see the sums of all.
    if (overview.rates) this.samples.push({ at, ...overview.rates });
    this.samples = this.samples.filter((sample) => sample.at > at - kept);
    this.overview = overview;
    for (const listener of this.#listeners) listener(overview);
  }

  /** Calls with each overview, at once with that which is there; the result ends it. */
  listen(listener) {
    this.#listeners.add(listener);
    if (this.overview) listener(this.overview);
    return () => this.#listeners.delete(listener);
  }
}

export const liveSpan = kept;
