// Asks again and again: the next question only after the answer to the last, slower while nobody looks, slower on errors.

const slowest = 30;

export class Poller {
  #every;
  #load;
  #onData;
  #onProblem;
  #abort = new AbortController();
  #wake = null;
  #failures = 0;
  // It is not for who asks, and will not be in a second either.
  #isRefused = false;
  #wanted = false;

  /** `every` is in seconds; null asks once and then when told to. `load(signal)` asks; a problem is handed on with the seconds until the next try. */
  constructor({ every, load, onData, onProblem }) {
    this.#every = every;
    this.#load = load;
    this.#onData = onData;
    this.#onProblem = onProblem;
  }

  /** Asks until `stop`. */
  async run() {
    const seen = () => {
      if (!document.hidden && this.#every !== null && !this.#isRefused) this.now();
    };
    document.addEventListener("visibilitychange", seen);
    try {
      while (!this.#abort.signal.aborted) {
        this.#wanted = false;
        await this.#ask();
        if (!this.#wanted) await this.#sleep(this.#pause());
      }
    } finally {
      document.removeEventListener("visibilitychange", seen);
    }
  }

  /** Asks at once, or once more after the question under way. */
  now() {
    this.#wanted = true;
    this.#wake?.();
  }

  stop() {
    this.#abort.abort();
    this.#wake?.();
  }

  async #ask() {
    try {
      const data = await this.#load(this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      this.#failures = 0;
      this.#isRefused = false;
      this.#onData(data);
    } catch (error) {
      if (this.#abort.signal.aborted || error.name === "AbortError") return;
      this.#failures += 1;
      this.#isRefused = error.status === 403;
      this.#onProblem(error, this.#pause());
    }
  }

  /** Seconds until the next question; null: until it is wanted. */
  #pause() {
    if (this.#every === null || this.#isRefused) return null;
    const usual = document.hidden ? Math.max(15, this.#every * 5) : this.#every;
    return this.#failures ? Math.max(usual, Math.min(slowest, this.#every * 2 ** this.#failures)) : usual;
  }

  #sleep(seconds) {
    if (this.#abort.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timeout = seconds === null ? null : setTimeout(resolve, seconds * 1000);
      this.#wake = () => {
        clearTimeout(timeout);
        resolve();
      };
    }).finally(() => {
      this.#wake = null;
    });
  }
}
