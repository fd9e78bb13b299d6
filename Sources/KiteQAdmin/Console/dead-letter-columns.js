// How a dead letter is written in a table.

import { h } from "./dom.js";
import { number } from "./format.js";
import { badge, messageLink, name, nameLink, topicAndType } from "./parts.js";
import { link } from "./router.js";
import { time } from "./time.js";

export const reasons = [["attempts", "too many attempts"], ["expired", "expired"], ["undecided", "undecided"]];

export function reasonBadge(reason) {
  return badge(
    reasons.find(([each]) => each === reason)?.[1] ?? reason,
    reason === "attempts" ? "critical" : "warning",
  );
}

export function deadLetterColumns({ hasMessage }) {
  return [
    {
      id: "letter",
      label: "Letter",
      heading: true,
      value: (letter) => letter.letter,
      cell: (letter) => h("a", { href: link(["dead-letters", letter.letter]) }, letter.letter),
    },
    hasMessage &&
    { id: "message", label: "Message", value: (letter) => letter.id, cell: (letter) => messageLink(letter.id) },
    {
      id: "group",
      label: "Group",
      value: (letter) => letter.group,
      cell: (letter) => (letter.group ? nameLink(letter.group, ["groups", letter.group]) : "–"),
    },
    { id: "reason", label: "Reason", value: (letter) => letter.reason, cell: (letter) => reasonBadge(letter.reason) },
    {
      id: "attempts",
      label: "Attempts",
      numeric: true,
      value: (letter) => letter.attempts,
      cell: (letter) => number(letter.attempts),
    },
    { id: "diedAt", label: "Died", value: (letter) => letter.diedAt, cell: (letter) => time(letter.diedAt) },
    hasMessage &&
    {
      id: "topic",
      label: "Topic, type",
      value: (letter) => letter.topic,
      sign: (letter) => [letter.topic, letter.messageType],
      cell: topicAndType,
    },
    {
      id: "lastError",
      label: "Last error",
      value: (letter) => letter.lastError,
      cell: (letter) => (letter.lastError ? name(letter.lastError) : "–"),
    },
  ].filter(Boolean);
}
