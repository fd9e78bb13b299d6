// Keys: / goes to the search, ? shows what keys there are. They can be turned off, for those who speak to their machine.

import { h } from "./dom.js";

const setting = "kiteq.keys";

function areOn() {
  try {
    return localStorage.getItem(setting) !== "off";
  } catch {
    return true;
  }
}

function turn(isOn) {
  try {
    localStorage.setItem(setting, isOn ? "on" : "off");
  } catch {
    // Storage is forbidden here: they stay on.
  }
}

export function watchKeys(toSearch) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !areOn()) return;
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog")) return;
    if (event.key === "/") {
      event.preventDefault();
      toSearch();
    } else if (event.key === "?") {
      event.preventDefault();
      showKeys();
    }
  });
}

export function showKeys() {
  const opener = document.activeElement;
  const box = h("input", {
    type: "checkbox",
    id: "keys-on",
    checked: areOn(),
    on: { change: (event) => turn(event.target.checked) },
  });
  const closer = h("button", { type: "button", on: { click: () => dialog.close() } }, "Close");
  const dialog = h(
    "dialog",
    { "aria-labelledby": "keys-title" },
    h("h2", { id: "keys-title" }, "Keys"),
    h(
      "dl",
      { class: "facts" },
      h("div", {}, h("dt", {}, h("kbd", {}, "/")), h("dd", {}, "Find a message by id, a group, a topic, a type")),
      h("div", {}, h("dt", {}, h("kbd", {}, "?")), h("dd", {}, "This list")),
      h("div", {}, h("dt", {}, h("kbd", {}, "Esc")), h("dd", {}, "Close a dialog without doing anything")),
    ),
    h("p", {}, box, " ", h("label", { for: "keys-on" }, "/ and ? are on")),
    h("menu", {}, closer),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  closer.focus();
}
