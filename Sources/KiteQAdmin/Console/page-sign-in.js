// A token is asked for.

import { fill, h } from "./dom.js";
import { pageHead } from "./parts.js";
import { tokenFault } from "./session.js";

export function signIn(main, { text, isProblem, accept }) {
  const field = h("input", {
    id: "token",
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: "4096",
  });
  const error = h("div", { role: "alert" }, isProblem && text ? h("p", { class: "problem" }, text) : null);
  const form = h(
    "form",
    { class: "sign-in", novalidate: true },
    h("label", { for: "token" }, "Token"),
    field,
    h("button", { type: "submit", class: "primary" }, "Sign in"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const token = field.value.trim();
    const fault = tokenFault(token);
    if (fault) {
      fill(error, h("p", { class: "problem" }, fault));
      field.focus();
      return;
    }
    accept(token);
  });
  fill(
    main,
    pageHead("Sign in", !isProblem && text ? text : "This broker answers to those with a token."),
    error,
    form,
    h(
      "p",
      { class: "quiet" },
      "Tokens are made by whoever runs the broker, in its admin.tokens_file. The token stays in this tab and is forgotten with it.",
    ),
  );
  field.focus();
}
