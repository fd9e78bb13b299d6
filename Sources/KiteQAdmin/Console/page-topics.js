// The topics with rates and counts.

import { h, renew } from "./dom.js";
import { chosen, filterForm } from "./filters.js";
import { number, rate } from "./format.js";
import { badge, nameLink, pageHead, unreachableNote } from "./parts.js";
import { Table } from "./table.js";
import { age } from "./time.js";

const fields = [{ key: "search", label: "Name has" }];

export function topics(context) {
  const filter = chosen(context.query, fields);
  const numeric = (id, label, write = number) => ({
    id,
    label,
    numeric: true,
    value: (topic) => topic[id],
    cell: (topic) => write(topic[id]),
  });
  const table = new Table({
    caption: "Topics",
    key: (topic) => topic.topic,
    empty: filter.search ? "No topic has this in its name." : "This broker serves no topic.",
    columns: [
      {
        id: "topic",
        label: "Topic",
        heading: true,
        value: (topic) => topic.topic,
        cell: (topic) => nameLink(topic.topic, ["topics", topic.topic]),
      },
      {
        id: "isServed",
        label: "Served here",
        value: (topic) => (topic.isServed ? "yes" : "no"),
        cell: (topic) => (topic.isServed ? badge("Served", "good") : badge("Not here", "warning")),
      },
      numeric("published", "Published/s", rate),
      numeric("delivered", "Delivered/s", rate),
      numeric("acknowledged", "Acked/s", rate),
      numeric("total", "Published here"),
      numeric("fresh", "Fresh"),
      numeric("tracked", "Tracked"),
      numeric("half", "Half"),
    ],
  });
  const above = h("div", {});
  const below = h("div", {});
  const feed = context.feed({
    every: 2,
    load: (signal) => context.api.get(["topics"], filter, signal),
    show: (list) => {
      table.show(list.items);
      renew(above, unreachableNote(list.unreachable));
      renew(below, countNote(list));
    },
  });
  return [
    pageHead("Topics", "Rates are of this broker; fresh, tracked and half are counted in the store."),
    filterForm({ label: "Search topics", segments: ["topics"], query: context.query, fields }),
    feed.notice,
    above,
    table.element,
    below,
  ];
}

/** How good the counts are, and how old. */
export function countNote({ countedAt, counted, isExact }) {
  return h(
    "p",
    { class: "quiet" },
    "Counted ",
    age(countedAt),
    isExact ? "." : `; only ${number(counted)} rows, the oldest and newest of each shard: there are more.`,
  );
}
