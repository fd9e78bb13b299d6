// What stands around each page: the broker's name, its health, the search, the pages, theme and session.

import { fill, h, setText } from "./dom.js";
import { link } from "./router.js";
import { badge, name } from "./parts.js";
import { showKeys, watchKeys } from "./keys.js";
import { themeButton } from "./theme-button.js";
import { localTime } from "./time.js";

const pages = [
  ["Messages", [["", "Overview"], ["groups", "Groups"], ["topics", "Topics"], ["messages", "Messages"], [
    "dead-letters",
    "Dead letters",
  ], ["transactions", "Transactions"]]],
  ["System", [["brokers", "Brokers"], ["shards", "Shards"], ["clients", "Clients"], ["bindings", "Bindings"], [
    "configuration",
    "Configuration",
  ], ["audit", "Audit log"]]],
];

export class Frame {
  #top = document.getElementById("top");
  #nav = document.getElementById("pages");
  #health = h("a", { class: "health", href: "#/" }, "…");
  #said = h("span", { class: "unseen", role: "status" });
  #broker = h("span", { class: "broker" });
  #search;
  #signOut;
  #signIn;
  #title = "";
  #worst = "";
  #lostAt = null;

  constructor({ live, signOut, signIn }) {
    this.#signOut = signOut;
    this.#signIn = signIn;
    live.listen((overview) => this.#show(overview));
    watchKeys(() => this.#search?.focus());
  }

  enter(session, hasToken) {
    this.#search = h("input", {
      id: "find",
      type: "search",
      placeholder: "Message id, group, topic",
      "aria-label": "Find a message by id, a group, a topic or a type",
      "aria-keyshortcuts": "/",
      autocomplete: "off",
      spellcheck: "false",
      maxlength: "255",
    });
    const menu = h(
      "button",
      { type: "button", class: "menu", "aria-expanded": "false", "aria-controls": "pages" },
      "Pages",
    );
    menu.addEventListener("click", () => this.#toggleMenu(menu));
    const form = h("form", { class: "find", role: "search", "aria-label": "Find anything" }, this.#search);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#search.value.trim();
      if (text) location.hash = placeOf(text);
    });
    fill(this.#broker, name(session.broker));
    const account = h("span", { class: "account" }, name(session.name), " ", badge(session.role));
    const sign = hasToken
      ? h("button", { type: "button", class: "plain", on: { click: this.#signOut } }, "Sign out")
      : h("button", { type: "button", class: "plain", on: { click: this.#signIn } }, "Sign in");
    const keys = h("button", { type: "button", class: "plain", on: { click: showKeys } }, "Keys");
    fill(
      this.#top,
      h("a", { class: "brand", href: "#/" }, h("img", { src: "icon.svg", alt: "", width: 24, height: 24 }), "KiteQ"),
      this.#broker,
      menu,
      this.#health,
      this.#said,
      form,
      h("div", { class: "tools" }, themeButton(), keys, account, sign),
    );
    fill(
      this.#nav,
      pages.map(([heading, items]) => [
        h("h2", {}, heading),
        h(
          "ul",
          {},
          items.map(([page, label]) =>
            h("li", {}, h("a", { href: link([page].filter(Boolean)), "data-page": page }, label))
          ),
        ),
      ]),
    );
    document.body.classList.add("entered");
  }

  leave() {
    document.body.classList.remove("entered", "menu-open");
    fill(
      this.#top,
      h("span", { class: "brand" }, h("img", { src: "icon.svg", alt: "", width: 24, height: 24 }), "KiteQ"),
      h("div", { class: "tools" }, themeButton()),
    );
    fill(this.#nav);
    this.#search = null;
  }

  opened(page, title) {
    this.#title = title;
    document.body.classList.remove("menu-open");
    this.#top.querySelector(".menu")?.setAttribute("aria-expanded", "false");
    for (const anchor of this.#nav.querySelectorAll("a")) {
      if (anchor.dataset.page === page) anchor.setAttribute("aria-current", "page");
      else anchor.removeAttribute("aria-current");
    }
    this.#tell();
  }

  contact() {
    this.#lostAt = null;
  }

  noContact(problem) {
    if (problem.status === 401) return;
    this.#lostAt ??= Date.now();
    this.#set(
      "critical",
      problem.status === 0 ? `No answer since ${localTime(this.#lostAt)}` : `Errors since ${localTime(this.#lostAt)}`,
    );
  }

  #show({ health, broker }) {
    if (broker.state !== "serving") return this.#set("warning", broker.state === "draining" ? "Draining" : "Starting");
    const critical = health.filter((each) => each.severity === "critical").length;
    const warnings = health.filter((each) => each.severity === "warning").length;
    const parts = [
      critical && `${critical} critical`,
      warnings && `${warnings} ${warnings === 1 ? "warning" : "warnings"}`,
    ].filter(Boolean);
    this.#set(critical ? "critical" : warnings ? "warning" : "good", parts.length ? parts.join(", ") : "All is well");
  }

  /** A screen reader hears of health only when it changes. */
  #set(kind, text) {
    this.#worst = kind === "critical" || kind === "warning" ? text : "";
    this.#health.className = `health ${kind}`;
    setText(this.#health, text);
    setText(this.#said, `Health: ${text}`);
    this.#tell();
  }

  #tell() {
    document.title = `${this.#worst ? `(${this.#worst}) ` : ""}${this.#title} · ${
      this.#broker.textContent || "KiteQ"
    } · KiteQ`;
  }

  #toggleMenu(menu) {
    const isOpen = document.body.classList.toggle("menu-open");
    menu.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.#nav.querySelector("a")?.focus();
  }
}

/** A message's id and a dead letter's number are pages; all else is looked for. */
function placeOf(text) {
  const id = text.toLowerCase().replaceAll("-", "");
  if (/^[0-9a-f]{32}$/.test(id)) return link(["messages", id]);
  if (/^[0-9]{1,3}:[0-9]{1,19}$/.test(text)) return link(["dead-letters", text]);
  return link(["find", text]);
}
