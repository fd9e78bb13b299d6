// Half messages that nobody has decided.

import { h } from "./dom.js";
import { number } from "./format.js";
import { Listing } from "./listing.js";
import { messageLink, name, pageHead, topicAndType } from "./parts.js";
import { link } from "./router.js";
import { age } from "./time.js";
import { transactionButtons } from "./transaction-acts.js";

export function transactions(context) {
  const listing = new Listing(context, {
    every: 5,
    segments: ["transactions"],
    load: (page, signal) => context.api.get(["transactions"], page, signal),
    caption: "Undecided transactions",
    key: (transaction) => transaction.id,
    empty: "Every transaction is decided.",
    columns: [
      { id: "id", label: "Message", heading: true, value: (each) => each.id, cell: (each) => messageLink(each.id) },
      {
        id: "topic",
        label: "Topic, type",
        value: (each) => each.topic,
        sign: (each) => [each.topic, each.messageType],
        cell: topicAndType,
      },
      {
        id: "publisher",
        label: "Published by",
        value: (each) => each.publisherGroup,
        cell: (each) => name(each.publisherGroup),
      },
      {
        id: "publishedAt",
        label: "Published",
        value: (each) => each.publishedAt,
        cell: (each) => age(each.publishedAt),
      },
      {
        id: "checks",
        label: "Asked",
        numeric: true,
        value: (each) => each.checks,
        cell: (each) => `${number(each.checks)}×`,
      },
      {
        id: "nextCheckAt",
        label: "Asked next",
        value: (each) => each.nextCheckAt,
        sign: (each) => [each.nextCheckAt, each.isAskable],
        cell: (each) => each.isAskable ? age(each.nextCheckAt) : "when a publisher connects",
      },
      { id: "shard", label: "Shard", numeric: true, value: (each) => each.shard },
      context.canOperate && {
        id: "act",
        label: "Act",
        sortable: false,
        value: () => "",
        cell: (each) => transactionButtons(context, each, () => listing.refresh()),
      },
    ].filter(Boolean),
  });
  return [
    pageHead(
      "Undecided transactions",
      "Half messages whose publisher has said neither commit nor roll back. The broker asks it again and again.",
    ),
    listing.element,
    h(
      "p",
      { class: "quiet" },
      "Those that were asked about in vain are parked among the ",
      h("a", { href: link(["dead-letters"], { reason: "undecided" }) }, "dead letters with the reason undecided"),
      ".",
    ),
  ];
}
