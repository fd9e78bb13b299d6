// The broker's API over plain HTTP: the console's only source of data.

const readLimit = 15_000;
// Many dead letters take their time.
const actLimit = 600_000;

/** What went wrong, with what the API says about it. `status` is 0 where no answer came. */
export class Problem extends Error {
  constructor(status, detail, count) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.count = count;
  }
}

export class Api {
  #base;
  #token;
  #refused;

  /** `token()` is the bearer token or null; `refused(problem)` is called for each 401. */
  constructor({ base, token, refused }) {
    this.#base = base;
    this.#token = token;
    this.#refused = refused;
  }

  /** Reads. `path` is a list of segments; parameters that are empty are left out. */
  get(path, parameters = {}, signal) {
    return this.#send("GET", path, parameters, undefined, signal, readLimit);
  }

  /** Acts; what is undefined in `body` is left out. An act is not taken back: it has no signal. */
  post(path, body) {
    return this.#send("POST", path, {}, body, undefined, actLimit);
  }

  async #send(method, path, parameters, body, signal, limit) {
    const timer = new AbortController();
    const timeout = setTimeout(() => timer.abort(), limit);
    const stop = () => timer.abort();
    signal?.addEventListener("abort", stop);
    try {
      if (signal?.aborted) stop();
      const response = await fetch(this.#url(path, parameters), {
        method,
        headers: this.#headers(body),
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: timer.signal,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
      });
      return await this.#read(response);
    } catch (error) {
      if (signal?.aborted) throw new DOMException("left", "AbortError");
      if (error instanceof Problem) throw error;
      const what = timer.signal.aborted
        ? `The broker did not answer within ${limit / 1000} s.`
        : "The broker cannot be reached from this browser.";
      throw new Problem(
        0,
        method === "GET"
          ? what
          : `${what} Whether it was done is not known: see the audit log before it is done again.`,
      );
    } finally {
      clearTimeout(timeout);
      signal?.removeEventListener("abort", stop);
    }
  }

  #url(path, parameters) {
    // A URL has no way to write these two as a name: even encoded they mean "here" and "above".
    const unaddressable = path.find((segment) => segment === "." || segment === "..");
    if (unaddressable) throw new Problem(0, `A name that is "${unaddressable}" cannot be asked for over HTTP.`);
    const url = new URL(path.map(encodeSegment).join("/"), this.#base);
    for (const [key, value] of Object.entries(parameters)) {
      if (value !== "" && value !== null && value !== undefined) url.searchParams.set(key, value);
    }
    return url;
  }

  #headers(body) {
    const headers = { Accept: "application/json" };
    const token = this.#token();
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    return headers;
  }

  async #read(response) {
    const text = await response.text();
    let answer;
    try {
      answer = JSON.parse(text);
    } catch {
      answer = null;
    }
    if (response.ok && answer !== null) return answer;
    const detail = answer?.detail ?? answer?.title ??
      `This is no answer of the broker (status ${response.status}). Is something between it and this browser?`;
    const problem = new Problem(response.status, detail, answer?.count);
    if (response.status === 401) this.#refused(problem);
    throw problem;
  }
}

/** A colon is itself in a path: a dead letter stays readable in the broker's log. */
function encodeSegment(text) {
  return encodeURIComponent(text).replaceAll("%3A", ":");
}
