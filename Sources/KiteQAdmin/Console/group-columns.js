// What pausing and resuming a group asks, and how a group's state is written; for the list and the group's own page.

import { askToAct } from "./act-dialog.js";
import { h } from "./dom.js";
import { count } from "./format.js";
import { badge, button, facts, name } from "./parts.js";

/** The button that pauses the group, or lets it go on. */
export function pauseButton(context, group, changed) {
  return group.isPaused
    ? button("Resume…", () => askToResume(context, group, changed))
    : button("Pause…", () => askToPause(context, group, changed));
}

function askToPause(context, group, changed) {
  askToAct({
    title: "Pause a group",
    facts: [
      about(group),
      h(
        "p",
        {},
        "Nothing more is delivered to it, at any broker, until it is resumed. What is in flight goes on; what comes waits in the store.",
      ),
    ],
    reason: true,
    label: "Pause",
    act: async ({ reason }) => (await context.api.post(["groups", group.group, "pause"], { reason })).done,
    done: changed,
  });
}

function askToResume(context, group, changed) {
  askToAct({
    title: "Resume a group",
    facts: [
      about(group),
      group.pause ? h("p", {}, "It was paused by ", name(group.pause.by), ": ", name(group.pause.reason)) : null,
      h("p", {}, "It is delivered to again, oldest first."),
    ],
    reason: "optional",
    label: "Resume",
    act: async ({ reason }) => (await context.api.post(["groups", group.group, "resume"], { reason })).done,
    done: changed,
  });
}

/** The button that ends the group's bindings, for one that is gone for good. */
export function unbindButton(context, group, changed) {
  return button("Unbind…", () =>
    askToAct({
      title: "End a group's bindings",
      facts: [
        about(group),
        h(
          "p",
          {},
          "It is owed nothing new, at any broker. What waits for it stays until it expires; a consumer of it that starts binds it again.",
        ),
      ],
      warning: group.clientsHere > 0 ? "It has clients here." : null,
      reason: true,
      label: "Unbind",
      isDangerous: true,
      act: async ({ reason }) => (await context.api.post(["groups", group.group, "unbind"], { reason })).done,
      done: changed,
    }), "danger");
}

function about(group) {
  return facts([["Group", name(group.group)], ["Waiting", count(group.waiting)], ["In flight here", group.inFlight]]);
}

export function groupState(group) {
  if (group.isPaused) return badge("Paused", "warning");
  if (group.isStopped) return badge("Stopped", "critical");
  if (group.brokers.length === 0 && group.clientsHere === 0) {
    return group.waiting.count > 0 ? badge("No client", "critical") : badge("Away", "plain");
  }
  return badge("Connected", "good");
}

export function groupStateWord(group) {
  if (group.isPaused) return "paused";
  if (group.isStopped) return "stopped";
  return group.brokers.length === 0 && group.clientsHere === 0 ? "away" : "connected";
}
