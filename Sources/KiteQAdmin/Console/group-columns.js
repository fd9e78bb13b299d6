// What pausing and resuming a group asks, and how a group's state is written; for the list and the group's own page.

import { askToAct } from "./act-dialog.js";
import { h } from "./dom.js";
import { groupFindings } from "./findings.js";
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

/** It has clients, and the broker finds that nothing goes on. */
function isStopped(context, group) {
  return group.clientsHere > 0 &&
    groupFindings(context.live, group.group).some(({ severity }) => severity === "critical");
}

function about(group) {
  return facts([["Group", name(group.group)], ["Waiting", count(group.waiting)], ["In flight here", group.inFlight]]);
}

export function groupState(context, group) {
  if (group.isPaused) return badge("Paused", "warning");
  if (isStopped(context, group)) return badge("Stopped", "critical");
  if (group.brokers.length === 0 && group.clientsHere === 0) {
    return group.waiting.count > 0 ? badge("No client", "critical") : badge("Away", "plain");
  }
  return badge("Connected", "good");
}

export function groupStateWord(context, group) {
  if (group.isPaused) return "paused";
  if (isStopped(context, group)) return "stopped";
  return group.brokers.length === 0 && group.clientsHere === 0 ? "away" : "connected";
}
