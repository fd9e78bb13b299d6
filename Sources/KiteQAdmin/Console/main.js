// The console's beginning: who is asking, the frame around the pages, and the change from page to page.

import { Api } from "./api.js";
import { fill, h } from "./dom.js";
import { Feed } from "./feed.js";
import { Frame } from "./frame.js";
import { Live } from "./live.js";
import { pageHead } from "./parts.js";
import { Poller } from "./poller.js";
import { routes } from "./routes.js";
import { match, parseHash } from "./router.js";
import { keepToken, storedToken } from "./session.js";
import { signIn } from "./page-sign-in.js";
import { runAges, setBrokerClock } from "./time.js";

const main = document.getElementById("main");

class Console {
  #api = new Api({
    base: new URL("../api/v1/", document.baseURI),
    token: storedToken,
    refused: (problem) => this.#refused(problem),
  });
  #live = new Live();
  #frame = new Frame({
    live: this.#live,
    signOut: () => this.#signOut(),
    signIn: () => this.#askForToken("With a token you see and do what its role allows."),
  });
  #session = null;
  #overviewPoller = null;
  #page = null;

  async begin() {
    runAges();
    window.addEventListener("hashchange", () => this.#open(true));
    document.getElementById("skip").addEventListener("click", (event) => {
      // The hash is the page's address: the link must not change it.
      event.preventDefault();
      main.focus();
    });
    await this.#enter();
  }

  /** Asks who this is, and shows the page, or asks for a token. */
  async #enter() {
    this.#leavePage();
    fill(main, h("p", { class: "quiet" }, "Asking the broker…"));
    try {
      this.#session = await this.#api.get(["session"]);
    } catch (problem) {
      if (problem.status !== 401) this.#cannotEnter(problem);
      return;
    }
    this.#frame.enter(this.#session, storedToken() !== null);
    this.#watch();
    this.#open(false);
  }

  #cannotEnter(problem) {
    const again = h("button", { type: "button", class: "primary", on: { click: () => this.#enter() } }, "Try again");
    fill(
      main,
      pageHead("No contact with the broker"),
      h("p", { class: "problem", role: "alert" }, problem.message),
      again,
    );
    if (storedToken()) {
      main.append(
        " ",
        h("button", { type: "button", on: { click: () => this.#signOut() } }, "Forget the token"),
      );
    }
  }

  #watch() {
    this.#overviewPoller?.stop();
    this.#overviewPoller = new Poller({
      every: 2,
      load: async (signal) => {
        const asked = Date.now();
        const overview = await this.#api.get(["overview"], {}, signal);
        setBrokerClock(overview.now, asked, Date.now());
        return overview;
      },
      onData: (overview) => {
        this.#frame.contact();
        this.#live.take(overview);
      },
      onProblem: (problem) => this.#frame.noContact(problem),
    });
    this.#overviewPoller.run();
  }

  #refused(problem) {
    const hadToken = storedToken() !== null;
    keepToken(null);
    this.#askForToken(hadToken ? problem.message : null, hadToken);
  }

  #signOut() {
    keepToken(null);
    this.#enter();
  }

  #askForToken(text, isProblem = false) {
    // Several questions under way may all be refused; what is being typed stays.
    if (this.#page?.isSignIn) return;
    this.#overviewPoller?.stop();
    this.#leavePage();
    this.#session = null;
    this.#frame.leave();
    this.#page = { isSignIn: true, feeds: [], stops: [] };
    document.title = "Sign in · KiteQ";
    signIn(main, {
      text,
      isProblem,
      accept: (token) => {
        this.#page = null;
        keepToken(token);
        this.#enter();
      },
    });
  }

  #leavePage() {
    for (const feed of this.#page?.feeds ?? []) feed.stop();
    for (const stop of this.#page?.stops ?? []) stop();
    // A dialog is about the page that it was opened on.
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    this.#page = null;
  }

  #open(takesFocus) {
    if (!this.#session) return;
    this.#leavePage();
    const place = parseHash(location.hash);
    const found = place && match(routes, place.segments);
    const page = { feeds: [], stops: [] };
    this.#page = page;
    const context = {
      api: this.#api,
      live: this.#live,
      session: this.#session,
      // Drain and reload are about all that the broker has.
      canOperateBroker: this.#session.role === "operate" && isForAll(this.#session),
      seesContent: this.#session.role !== "counts",
      isForAll: isForAll(this.#session),
      canOperate: this.#session.role === "operate",
      query: place?.query ?? new URLSearchParams(),
      parameters: found?.parameters ?? {},
      feed: (options) => {
        const feed = new Feed(options);
        page.feeds.push(feed);
        return feed;
      },
      listen: (listener) => page.stops.push(this.#live.listen(listener)),
    };
    fill(main, found ? found.open(context) : noSuchPage());
    for (const feed of page.feeds) feed.start();
    this.#frame.opened(place?.segments[0] ?? "", document.getElementById("page-title")?.textContent ?? "");
    if (takesFocus) {
      window.scrollTo(0, 0);
      document.getElementById("page-title")?.focus({ preventScroll: true });
    }
  }
}

/** Whether the token is for all topics and groups. */
function isForAll({ topics, groups }) {
  return topics === null && groups === null;
}

function noSuchPage() {
  return [
    pageHead("There is no such page"),
    h("p", {}, "The address does not name a page of this console. ", h("a", { href: "#/" }, "Go to the overview"), "."),
  ];
}

new Console().begin();
