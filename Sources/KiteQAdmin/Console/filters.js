// A form above a listing. What it says is in the page's hash, so that a search can be linked and gone back to.

import { h } from "./dom.js";
import { link } from "./router.js";
import { fieldToISO, isoToField } from "./time.js";

/** Fields: { key, label, kind: "text" | "time" | "choice", choices: [[value, label]], hint }. */
export function filterForm({ label, segments, query, fields, submit = "Search" }) {
  const inputs = fields.map((field) => [field, input(field, query.get(field.key) ?? "")]);
  const form = h(
    "form",
    { class: "filters", role: "search", "aria-label": label, novalidate: true },
    inputs.map(([field, element]) =>
      h("div", { class: "field" }, h("label", { for: element.id }, field.label), element)
    ),
    h(
      "div",
      { class: "field buttons" },
      h("button", { type: "submit", class: "primary" }, submit),
      h("a", { class: "button", href: link(segments) }, "Clear"),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const parameters = {};
    for (const [field, element] of inputs) {
      const value = field.kind === "time" ? fieldToISO(element.value) : element.value;
      if (value !== (field.usual ?? "")) parameters[field.key] = value;
    }
    const hash = link(segments, parameters);
    // The same search again is a wish for newer data.
    if (location.hash === hash) window.dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = hash;
  });
  return form;
}

function input(field, value) {
  const id = `filter-${field.key}`;
  if (field.kind === "choice") {
    const select = h("select", { id }, field.choices.map(([each, text]) => h("option", { value: each }, text)));
    select.value = value || (field.usual ?? "");
    return select;
  }
  if (field.kind === "time") return h("input", { id, type: "datetime-local", step: "1", value: isoToField(value) });
  return h("input", { id, type: "text", maxlength: "255", autocomplete: "off", spellcheck: "false", value });
}

/** The parameters of these fields that the query names, for the API. */
export function chosen(query, fields) {
  const parameters = {};
  for (const field of fields) {
    const value = query.get(field.key);
    if (value) parameters[field.key] = value;
  }
  return parameters;
}

/** What was chosen, in words. */
export function inWords(parameters, fields) {
  const parts = fields.filter((field) => parameters[field.key]).map((field) => {
    const value = parameters[field.key];
    return `${field.label.toLowerCase()} ${field.choices?.find(([each]) => each === value)?.[1] ?? value}`;
  });
  return parts.length ? parts.join(", ") : "no filter: all of them";
}
