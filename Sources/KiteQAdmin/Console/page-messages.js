// Search of messages that are not done.

import { h } from "./dom.js";
import { chosen, filterForm } from "./filters.js";
import { Listing } from "./listing.js";
import { badge, messageLink, name, pageHead, topicAndType } from "./parts.js";
import { time } from "./time.js";

const fields = [
  { key: "topic", label: "Topic" },
  { key: "type", label: "Type" },
  { key: "group", label: "Owed to group" },
  {
    key: "state",
    label: "State",
    kind: "choice",
    choices: [["", "any"], ["fresh", "fresh"], ["tracked", "tracked"], ["half", "half"]],
  },
  { key: "from", label: "Accepted from", kind: "time" },
  { key: "before", label: "Accepted before", kind: "time" },
  {
    key: "order",
    label: "Order",
    kind: "choice",
    usual: "oldest",
    choices: [["oldest", "oldest first"], ["newest", "newest first"]],
  },
];

export function messages(context) {
  const filter = chosen(context.query, fields);
  const listing = new Listing(context, {
    every: null,
    segments: ["messages"],
    kept: filter,
    load: (page, signal) => context.api.get(["messages"], { ...filter, ...page }, signal),
    caption: "Messages that are not done",
    key: (message) => message.id,
    empty:
      "No message that is not done matches. One that is done is deleted; its id may still be among the dead letters.",
    columns: [
      {
        id: "id",
        label: "Message",
        heading: true,
        value: (message) => message.id,
        cell: (message) => messageLink(message.id),
      },
      {
        id: "topic",
        label: "Topic, type",
        value: (message) => message.topic,
        sign: (message) => [message.topic, message.messageType],
        cell: topicAndType,
      },
      { id: "state", label: "State", value: (message) => message.state, cell: (message) => badge(message.state) },
      {
        id: "from",
        label: "Published by",
        value: (message) => message.publisherGroup,
        cell: (message) => name(message.publisherGroup),
      },
      {
        id: "acceptedAt",
        label: "Accepted",
        value: (message) => message.acceptedAt,
        cell: (message) => time(message.acceptedAt, { exact: true }),
      },
      {
        id: "expiresAt",
        label: "Expires",
        value: (message) => message.expiresAt,
        cell: (message) => (message.expiresAt ? time(message.expiresAt) : "never"),
      },
      { id: "shard", label: "Shard", numeric: true, value: (message) => message.shard },
    ],
  });
  return [
    pageHead("Messages", ["Those that are not done. ", h("kbd", {}, "/"), " finds one by its id."]),
    context.session.groups === null ? null : h(
      "p",
      { class: "quiet" },
      "Your token is for some groups alone: search for messages owed to one of them, or for half messages.",
    ),
    filterForm({ label: "Search messages", segments: ["messages"], query: context.query, fields }),
    listing.element,
  ].filter(Boolean);
}
