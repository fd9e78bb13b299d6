// One message's story: what it is, where it stands with each group, what happened to it when.

import { fill, h } from "./dom.js";
import { bytes, number } from "./format.js";
import { contentPanel } from "./message-content.js";
import { deadLetterColumns } from "./dead-letter-columns.js";
import { badge, facts, name, nameLink, pageHead, section } from "./parts.js";
import { Table } from "./table.js";
import { age, time } from "./time.js";
import { transactionButtons } from "./transaction-acts.js";

export function message(context) {
  const { id } = context.parameters;
  const act = h("span", { class: "actions" });
  const body = h("div", {});
  const feed = context.feed({
    every: null,
    load: (signal) => context.api.get(["messages", id], {}, signal),
    show: (story) => {
      const mayDecide = context.canOperate && ["undecided", "parked"].includes(story.transaction?.outcome);
      fill(act, mayDecide ? transactionButtons(context, { id, ...story.message }, () => feed.refresh()) : null);
      fill(body, storyParts(story, context));
    },
  });
  return [pageHead(["Message ", h("span", { class: "id" }, name(id))], null, act), feed.notice, body];
}

function storyParts(story, context) {
  const { message, content, groups, transaction, deadLetters, events } = story;
  return [
    message
      ? messageFacts(message, content)
      : h("p", {}, "The message itself is gone from the store; this is what is left of it."),
    groups.length ? section("Where it stands", groupTable(groups)) : null,
    transaction ? section("Its transaction", transactionFacts(transaction)) : null,
    section("What happened when", timeline(events)),
    deadLetters.length ? section("Dead letters", deadLetterTable(deadLetters)) : null,
    content || !context.seesContent ? section("Content", contentPanel(content)) : null,
  ];
}

function messageFacts(message, content) {
  return facts([
    ["State", badge(message.state)],
    ["Topic", nameLink(message.topic, ["topics", message.topic])],
    ["Type", name(message.messageType)],
    ["Published by", name(message.publisherGroup)],
    ["Published", [time(message.publishedAt, { exact: true }), " (", age(message.publishedAt), ")"]],
    ["Accepted", time(message.acceptedAt, { exact: true })],
    ["Expires", message.expiresAt ? [time(message.expiresAt), " (", age(message.expiresAt), ")"] : "never"],
    ["Attempts allowed", number(message.deliverLimit)],
    content && ["Body", bytes(content.bodyBytes)],
    ["Shard", message.shard],
  ]);
}

const states = { waiting: "plain", working: "good", retrying: "warning", done: "good", dead: "critical" };

function groupTable(groups) {
  const table = new Table({
    caption: "Its state for each group",
    key: (each) => each.group,
    columns: [
      {
        id: "group",
        label: "Group",
        heading: true,
        value: (each) => each.group,
        cell: (each) => nameLink(each.group, ["groups", each.group]),
      },
      {
        id: "state",
        label: "State",
        value: (each) => each.state,
        cell: (each) => badge(each.state, states[each.state]),
      },
      { id: "attempts", label: "Attempts", numeric: true, value: (each) => each.attempts },
      {
        id: "broker",
        label: "Broker",
        value: (each) => each.broker,
        cell: (each) => (each.broker ? name(each.broker) : "–"),
      },
      { id: "dueAt", label: "Due", value: (each) => each.dueAt, cell: (each) => age(each.dueAt) },
      {
        id: "lastError",
        label: "Last error",
        value: (each) => each.lastError,
        cell: (each) => (each.lastError ? name(each.lastError) : "–"),
      },
    ],
  });
  table.show(groups);
  return table.element;
}

const outcomes = {
  undecided: ["Undecided", "warning"],
  committed: ["Committed", "good"],
  rolledBack: ["Rolled back", "plain"],
  parked: ["Parked as undecided", "critical"],
};

function transactionFacts(transaction) {
  return facts([
    ["Outcome", badge(...(outcomes[transaction.outcome] ?? [transaction.outcome]))],
    ["Questions asked", number(transaction.checks)],
    transaction.nextCheckAt && ["Asked next", age(transaction.nextCheckAt)],
    transaction.decidedAt && ["Decided", time(transaction.decidedAt, { exact: true })],
  ]);
}

function timeline(events) {
  if (events.length === 0) return h("p", { class: "empty" }, "Nothing is known.");
  return h(
    "ol",
    { class: "timeline" },
    events.map(({ at, text, isExpected }) =>
      isExpected
        ? h("li", { class: "expected" }, age(at), " ", name(text), " ", h("span", { class: "quiet" }, "(expected)"))
        : h("li", {}, time(at, { exact: true }), " ", name(text))
    ),
  );
}

function deadLetterTable(letters) {
  const table = new Table({
    caption: "Its dead letters",
    key: (letter) => letter.letter,
    columns: deadLetterColumns({ hasMessage: false }),
  });
  table.show(letters);
  return table.element;
}
