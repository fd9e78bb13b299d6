// The only place that makes elements. Text becomes text nodes; nothing that a server says is ever parsed as HTML, and what cannot be
// seen is spelt out in all of it.

import { visibleBody } from "./format.js";

// Attributes that people read.
const read = new Set(["title", "aria-label", "placeholder", "alt", "data-label"]);
const svgNames = new Set(["svg", "g", "path", "line", "rect", "circle", "text", "title", "desc"]);

/**
 * An element with attributes, listeners and children.
 *
 * Children are nodes, text, numbers, lists of these; null and false are left out. `on` holds listeners by event name.
 * An attribute that is null or false is left out, true is set empty.
 */
export function h(name, attributes = {}, ...children) {
  const element = svgNames.has(name)
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else {
      setAttribute(element, key, value);
    }
  }
  append(element, children);
  return element;
}

function setAttribute(element, key, value) {
  if (key.startsWith("on") || key === "style" || key === "srcdoc") throw new Error(`${key} is not to be set`);
  if (key === "href" && !String(value).startsWith("#")) throw new Error("links lead to pages of the console only");
  const text = value === true ? "" : String(value);
  element.setAttribute(key, read.has(key) ? visibleBody(text) : text);
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== null && child !== undefined && child !== false) {
      element.append(child instanceof Node ? child : visibleBody(child));
    }
  }
}

/** Puts these children in place of all that the element has. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** Sets text only where it differs, so that a screen reader and a selection are left alone. */
export function setText(element, text) {
  const shown = visibleBody(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/**
 * Makes the element's children like these, and leaves alone what is so already: a selection of text stays, and a reader's
 * place. Listeners of the new children are lost where an old one is kept: for what has none.
 */
export function renew(element, ...children) {
  const wanted = document.createDocumentFragment();
  append(wanted, children);
  adapt(element, wanted);
  return element;
}

function adapt(element, wanted) {
  const old = [...element.childNodes];
  const fresh = [...wanted.childNodes];
  fresh.forEach((node, index) => {
    const there = old[index];
    if (!there) element.append(node);
    else if (there.isEqualNode(node)) return;
    else if (there.nodeType === Node.TEXT_NODE && node.nodeType === Node.TEXT_NODE) there.data = node.data;
    else if (there.nodeType === Node.ELEMENT_NODE && there.cloneNode(false).isEqualNode(node.cloneNode(false))) {
      adapt(there, node);
    } else there.replaceWith(node);
  });
  for (const node of old.slice(fresh.length)) node.remove();
}
