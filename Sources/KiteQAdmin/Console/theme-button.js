// Light, dark, or as the system has it.

import { h, setText } from "./dom.js";

const order = ["system", "light", "dark"];
const labels = { system: "Theme: system", light: "Theme: light", dark: "Theme: dark" };

export function themeButton() {
  const element = h("button", { type: "button", class: "plain theme", title: "Light, dark, or as the system has it" });
  const show = () => setText(element, labels[document.documentElement.dataset.theme ?? "system"]);
  element.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "system";
    choose(order[(order.indexOf(now) + 1) % order.length]);
    show();
  });
  show();
  return element;
}

function choose(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("kiteq.theme", theme);
  } catch {
    // Storage is forbidden here: it holds until the page is loaded anew.
  }
}
