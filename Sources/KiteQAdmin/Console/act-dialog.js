// Each act is asked about first: what it does to what, the reason typed, then what came of it, all in one dialog.

import { fill, h } from "./dom.js";

/**
 * Opens the dialog.
 *
 * `facts`: nodes that say what is acted on. `reason`: a reason must be typed; "optional": it may. `typed`: this text must be typed, for what
 * cannot be undone. `prepare()`: asked first; gives what replaces any of these, or `blocked`, a sentence.
 * `act({ reason })`, without one undefined: does it and gives nodes or a text that say what came of it. It may throw a Problem with `again`, the
 * options to ask with once more. `done()`: after it was done, while its result is read.
 */
export function askToAct(options) {
  new ActDialog(options).open();
}

class ActDialog {
  #options;
  #opener = document.activeElement;
  #dialog = h("dialog", { class: "act", "aria-labelledby": "act-title" });
  #error = h("div", { role: "alert" });
  #busy = false;
  /** As it was typed, for when it is asked once more. */
  #reason = "";

  constructor(options) {
    this.#options = options;
    // Escape while an act is under way would hide what came of it.
    this.#dialog.addEventListener("cancel", (event) => {
      if (this.#busy) event.preventDefault();
    });
    this.#dialog.addEventListener("close", () => this.#leave());
  }

  async open() {
    document.body.append(this.#dialog);
    if (!this.#options.prepare) {
      this.#ask();
      this.#show();
      return;
    }
    fill(this.#dialog, this.#title(), h("p", {}, "Counting…"), h("menu", {}, this.#closer("Cancel")));
    this.#show();
    try {
      this.#options = { ...this.#options, ...await this.#options.prepare() };
      if (this.#dialog.open) this.#ask();
    } catch (error) {
      this.#end(h("p", { class: "problem", role: "alert" }, error.message));
    }
  }

  #show() {
    this.#dialog.showModal();
    this.#focusFirst();
  }

  #focusFirst() {
    const field = this.#dialog.querySelector("textarea, input") ?? this.#dialog.querySelector("menu button");
    field?.focus();
  }

  #title() {
    return h("h2", { id: "act-title" }, this.#options.title);
  }

  #closer(label) {
    return h("button", { type: "button", on: { click: () => this.#dialog.close() } }, label);
  }

  #ask() {
    const { facts, warning, reason, typed, label, isDangerous, blocked } = this.#options;
    if (blocked) {
      this.#end(h("p", {}, blocked));
      return;
    }
    const reasonField = reason
      ? h("textarea", { id: "act-reason", required: reason !== "optional", maxlength: "500", rows: "3" }, this.#reason)
      : null;
    const typedField = typed ? h("input", { id: "act-typed", autocomplete: "off", inputmode: "numeric" }) : null;
    const go = h("button", { type: "submit", class: isDangerous ? "danger" : "primary" }, label);
    const form = h(
      "form",
      { novalidate: true },
      this.#title(),
      facts ?? null,
      warning ? h("p", { class: "warn" }, warning) : null,
      reason ? h("label", { for: "act-reason" }, reasonLabel(reason)) : null,
      reasonField,
      typed ? h("label", { for: "act-typed" }, `Type ${typed} to confirm`) : null,
      typedField,
      this.#error,
      h("menu", {}, this.#closer("Cancel"), go),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit({ reasonField, typedField, go });
    });
    fill(this.#dialog, form);
    this.#focusFirst();
  }

  async #submit({ reasonField, typedField, go }) {
    if (this.#busy) return;
    this.#reason = reasonField?.value.trim() ?? "";
    if (reasonField?.required && !this.#reason) return this.#refuse("Say why: whoever reads the audit log wants to know.", reasonField);
    if (typedField && typedField.value.replace(/[,\s]/g, "") !== this.#options.typed) {
      return this.#refuse(`Type ${this.#options.typed} to confirm.`, typedField);
    }
    this.#busy = true;
    go.disabled = true;
    fill(this.#error);
    const label = go.textContent;
    go.textContent = "Working…";
    try {
      const result = await this.#options.act({ reason: this.#reason || undefined });
      this.#busy = false;
      this.#end(typeof result === "string" ? h("p", {}, result) : result);
      this.#options.done?.();
    } catch (error) {
      this.#busy = false;
      if (error.again) {
        this.#options = { ...this.#options, ...error.again };
        this.#ask();
      } else {
        go.disabled = false;
        go.textContent = label;
        go.focus();
      }
      fill(this.#error, h("p", { class: "problem" }, error.message));
    }
  }

  #refuse(text, field) {
    fill(this.#error, h("p", { class: "problem" }, text));
    field.focus();
  }

  #end(result) {
    if (!this.#dialog.open) return;
    const closer = this.#closer("Close");
    fill(this.#dialog, this.#title(), h("div", { class: "result" }, result), h("menu", {}, closer));
    closer.focus();
  }

  /** Back to where the reader was; to the page's heading where that is gone. */
  #leave() {
    this.#dialog.remove();
    const place = this.#opener?.isConnected && !this.#opener.disabled && this.#opener !== document.body
      ? this.#opener
      : document.getElementById("page-title");
    place?.focus();
  }
}

function reasonLabel(reason) {
  return reason === "optional" ? "Reason, for the audit log (may be left out)" : "Reason, for the audit log";
}
