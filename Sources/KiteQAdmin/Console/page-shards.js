// The store's shards.

import { h, renew } from "./dom.js";
import { bytes, count, latency, number } from "./format.js";
import { badge, name, pageHead, unreachableNote } from "./parts.js";
import { Table } from "./table.js";
import { age } from "./time.js";

export function shards(context) {
  const counted = (id, label, read) => ({
    id,
    label,
    numeric: true,
    value: (shard) => read(shard)?.count,
    sign: read,
    cell: (shard) => count(read(shard)),
  });
  const plain = (id, label, write = number) => ({
    id,
    label,
    numeric: true,
    value: (shard) => shard[id],
    cell: (shard) => write(shard[id]),
  });
  const table = new Table({
    caption: "Shards",
    key: (shard) => shard.shard,
    columns: [
      { id: "shard", label: "Shard", heading: true, value: (shard) => shard.shard },
      {
        id: "isReachable",
        label: "State",
        value: (shard) => (shard.isReachable ? "answers" : "unreachable"),
        sign: (shard) => [shard.isReachable, shard.answerTime],
        cell: state,
      },
      counted("fresh", "Fresh", (shard) => shard.counts?.fresh),
      counted("tracked", "Tracked", (shard) => shard.counts?.tracked),
      counted("half", "Half", (shard) => shard.counts?.half),
      counted("deadLetters", "Dead", (shard) => shard.deadLetters),
      {
        id: "oldestAt",
        label: "Oldest",
        numeric: true,
        value: (shard) => shard.oldestAt && -Date.parse(shard.oldestAt),
        cell: (shard) => age(shard.oldestAt),
      },
      plain("unflushed", "Unflushed"),
      { id: "pool", label: "Pool in use", sortable: false, value: (shard) => shard.pool, cell: pool },
      {
        id: "bytes",
        label: "Size, about",
        numeric: true,
        value: (shard) => shard.bytes,
        sign: (shard) => [shard.bytes, shard.estimatedRows],
        cell: size,
      },
      plain("historyListLength", "History list"),
      {
        id: "server",
        label: "Server",
        value: (shard) => shard.server,
        sign: (shard) => [shard.server, shard.database],
        cell: (shard) => h("div", { class: "slim" }, shard.server ? name(shard.server) : "–", place(shard)),
      },
    ],
  });
  const above = h("div", {});
  const below = h("p", { class: "quiet" });
  const feed = context.feed({
    every: 2,
    load: (signal) => context.api.get(["shards"], {}, signal),
    show: ({ items, at }) => {
      const missing = items.filter((shard) => !shard.isReachable).map(({ shard, reason }) => ({
        shard,
        reason: reason ?? "It does not answer.",
      }));
      renew(above, unreachableNote(missing));
      table.show(items);
      renew(
        below,
        "Counted ",
        age(at),
        ". Pool and unflushed are of this broker. A history list that grows for hours means that a long transaction holds back the server's clean-up.",
      );
    },
  });
  return [pageHead("Shards", "The databases that the messages are in."), feed.notice, above, table.element, below];
}

/** USER@HOST:PORT/DATABASE, broken between these and never within one: half a port is another port. */
function place({ database }) {
  if (!database) return null;
  return h(
    "div",
    { class: "quiet" },
    database.split(/(?<=[@,/])/).map((part) => [h("span", { class: "whole" }, part), h("wbr", {})]),
  );
}

function state(shard) {
  if (!shard.isReachable) return badge("Unreachable", "critical");
  return [
    badge("Answers", "good"),
    shard.answerTime === null || shard.answerTime === undefined
      ? null
      : h("div", { class: "quiet" }, `in ${latency(shard.answerTime)}`),
  ];
}

function size(shard) {
  return [
    bytes(shard.bytes),
    shard.estimatedRows === null || shard.estimatedRows === undefined
      ? null
      : h("div", { class: "quiet" }, `${number(shard.estimatedRows)} rows`),
  ];
}

function pool(shard) {
  if (!shard.pool) return "–";
  const { open, idle, waiting } = shard.pool;
  return [
    `${number(open - idle)} of ${number(open)}`,
    waiting > 0 ? [" ", badge(`${number(waiting)} wait`, "warning")] : null,
  ];
}
