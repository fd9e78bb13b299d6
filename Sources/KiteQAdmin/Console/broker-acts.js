// Draining and reloading the broker that serves this page.

import { askToAct } from "./act-dialog.js";
import { h } from "./dom.js";
import { button, facts, name } from "./parts.js";

export function reloadButton(context, changed) {
  return button("Reload configuration…", () =>
    askToAct({
      title: "Reload the configuration",
      facts: [
        about(context),
        h("p", {}, "Its files are read again. All of what can change without a restart does, or nothing."),
      ],
      reason: "optional",
      label: "Reload",
      act: async ({ reason }) => reportPanel(await context.api.post(["broker", "reload"], { reason })),
      done: changed,
    }));
}

export function drainButton(context) {
  return button("Drain…", () =>
    askToAct({
      title: "Drain this broker",
      facts: [
        about(context),
        h(
          "p",
          {},
          "It leaves the registry, finishes what is in flight, and its process ends. Its clients go to the other brokers, where there are any. This console ends with it.",
        ),
      ],
      reason: true,
      label: "Drain",
      isDangerous: true,
      act: async ({ reason }) => (await context.api.post(["broker", "drain"], { reason })).done,
    }), "danger");
}

function about(context) {
  return facts([["Broker", name(context.session.broker)]]);
}

function reportPanel({ applied, needsRestart }) {
  return [
    listOf("Changed:", applied, "Nothing had changed that can without a restart."),
    needsRestart.length ? listOf("Changed in the files, but only a restart takes it:", needsRestart) : null,
  ];
}

function listOf(title, items, none) {
  if (items.length === 0) return h("p", {}, none);
  return [h("p", {}, title), h("ul", {}, items.map((item) => h("li", {}, name(item))))];
}
