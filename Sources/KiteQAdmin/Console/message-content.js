// A message's properties and body, shown as text and as nothing else.

import { fill, h } from "./dom.js";
import { hexDump, visibleBody } from "./format.js";
import { button, facts, name } from "./parts.js";

/** Without content it says why there is none to see. */
export function contentPanel(content) {
  if (!content) {
    return h("p", { class: "quiet" }, "Properties and body are not shown: your token has the role counts.");
  }
  const properties = Object.entries(content.properties);
  const shown = h("pre", { class: "body", tabindex: "0", "aria-label": "Body" });
  const text = content.encoding === "base64" ? hexDump(content.body) ?? content.body : content.body;
  fill(shown, text === "" ? "(empty)" : visibleBody(text));
  return [
    h("h3", {}, "Properties"),
    properties.length
      ? facts(properties.map(([key, value]) => [name(key), name(value)]))
      : h("p", { class: "empty" }, "It has none."),
    h("h3", {}, content.encoding === "base64" ? "Body, bytes" : "Body, text"),
    content.isCut ? h("p", { class: "quiet" }, "Only its first bytes are shown.") : null,
    content.encoding === "text" && isJSON(text) ? indentButton(shown, text) : null,
    shown,
  ];
}

function isJSON(text) {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function indentButton(shown, text) {
  let isIndented = false;
  const element = button("Indent JSON", () => {
    isIndented = !isIndented;
    fill(shown, visibleBody(isIndented ? JSON.stringify(JSON.parse(text), null, 2) : text));
    fill(element, isIndented ? "As it was sent" : "Indent JSON");
  }, "plain");
  return h("p", {}, element);
}
