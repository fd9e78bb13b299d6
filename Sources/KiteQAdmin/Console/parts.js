// Small pieces that several pages are made of.

import { h } from "./dom.js";
import { number, visible } from "./format.js";
import { link } from "./router.js";

/** A name that the outside chose: kept apart from the text around it, with what cannot be seen spelt out. */
export function name(text) {
  return text === "" ? h("span", { class: "quiet" }, "(empty)") : h("bdi", { class: "name" }, visible(text));
}

/** A name that leads to a page. */
export function nameLink(text, segments, parameters) {
  return h("a", { href: link(segments, parameters) }, name(text));
}

/** A message's id, which leads to its story. */
export function messageLink(id) {
  return h("a", { class: "id", href: link(["messages", id]) }, id);
}

/** The type under its topic. */
export function topicAndType({ topic, messageType }) {
  return [nameLink(topic, ["topics", topic]), h("div", { class: "quiet" }, name(messageType))];
}

/** A word on a tint: kind is good, warning, critical, or plain. The word says it, not only the colour. */
export function badge(text, kind = "plain") {
  return h("span", { class: `badge ${kind}` }, text);
}

/** A page's head: the heading that takes the focus after a change of page, a sentence, and buttons. */
export function pageHead(title, about, ...actions) {
  return h(
    "div",
    { class: "page-head" },
    h(
      "div",
      {},
      h("h1", { id: "page-title", tabindex: "-1" }, title),
      about ? h("p", { class: "about" }, about) : null,
    ),
    actions.length ? h("div", { class: "actions" }, actions) : null,
  );
}

let sections = 0;

/** A part of a page under a heading. */
export function section(title, ...children) {
  sections += 1;
  const id = `section-${sections}`;
  return h("section", { "aria-labelledby": id }, h("h2", { id }, title), children);
}

/** A term and what it is, several of them. `show` takes [term, node or text] pairs. */
export function facts(pairs) {
  return h(
    "dl",
    { class: "facts" },
    pairs.filter(Boolean).map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
  );
}

/** Numbers in a row, large. `show` takes [label, text, unit, note] for each. */
export function figures(items) {
  return h(
    "dl",
    { class: "figures" },
    items.map(([label, value, unit]) =>
      h("div", {}, h("dt", {}, label), h("dd", {}, value, unit ? h("span", { class: "unit" }, ` ${unit}`) : null))
    ),
  );
}

export function button(label, click, kind = "") {
  return h("button", { type: "button", class: kind || null, on: { click } }, label);
}

/** Names the shards that a listing lacks; nothing where it lacks none. */
export function unreachableNote(unreachable) {
  if (!unreachable?.length) return null;
  return h(
    "div",
    { class: "problem" },
    h(
      "p",
      {},
      unreachable.length === 1
        ? "A shard does not answer; what it has is missing here."
        : "Shards do not answer; what they have is missing here.",
    ),
    h("ul", {}, unreachable.map((each) => h("li", {}, `Shard ${each.shard}: `, name(each.reason)))),
  );
}

/** Where a listing goes on, and back to its start. `at` makes the hash of a cursor; null is the first page. */
export function pager({ next, cursor, shown, at }) {
  if (!next && !cursor) return null;
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages of this listing" },
    cursor ? h("a", { class: "button", href: at(null) }, "First page") : null,
    next ? h("a", { class: "button", href: at(next), rel: "next" }, "Next page") : null,
    h("span", { class: "quiet" }, pagerText(shown, next)),
  );
}

function pagerText(shown, next) {
  if (shown === 0 && next) return "Nothing was found in the rows that this page looked at. There are more rows: go on.";
  const rows = shown === 1 ? "1 row" : `${number(shown)} rows`;
  return `${rows} on this page, sorted within it.${next ? "" : " This is the last page."}`;
}
