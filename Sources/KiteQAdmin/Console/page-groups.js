// The groups with their lag.

import { h } from "./dom.js";
import { chosen, filterForm } from "./filters.js";
import { count, number, rate } from "./format.js";
import { groupState, groupStateWord, pauseButton } from "./group-columns.js";
import { Listing } from "./listing.js";
import { nameLink, pageHead } from "./parts.js";
import { age } from "./time.js";

const fields = [{ key: "search", label: "Name has" }];

export function groups(context) {
  const filter = chosen(context.query, fields);
  const listing = new Listing(context, {
    every: 2,
    segments: ["groups"],
    kept: filter,
    load: (page, signal) => context.api.get(["groups"], { ...filter, ...page }, signal),
    caption: "Groups",
    key: (group) => group.group,
    empty: filter.search ? "No group has this in its name." : "No group has declared a binding.",
    columns: [
      {
        id: "group",
        label: "Group",
        heading: true,
        value: (group) => group.group,
        cell: (group) => nameLink(group.group, ["groups", group.group]),
      },
      {
        id: "state",
        label: "State",
        value: (group) => groupStateWord(group),
        sign: (group) => [groupStateWord(group), group.waiting.count > 0],
        cell: (group) => groupState(group),
      },
      {
        id: "waiting",
        label: "Waiting",
        numeric: true,
        value: (group) => group.waiting.count,
        sign: (group) => group.waiting,
        cell: (group) => count(group.waiting),
      },
      {
        id: "oldest",
        label: "Oldest",
        numeric: true,
        value: (group) => group.oldestAt && -Date.parse(group.oldestAt),
        cell: (group) => age(group.oldestAt),
      },
      {
        id: "inFlight",
        label: "In flight",
        numeric: true,
        value: (group) => group.inFlight,
        cell: (group) => number(group.inFlight),
      },
      {
        id: "retrying",
        label: "Retrying",
        numeric: true,
        value: (group) => group.retrying.count,
        sign: (group) => [group.retrying, group.nextRetryAt],
        cell: retrying,
      },
      {
        id: "acknowledged",
        label: "Acked/s",
        numeric: true,
        value: (group) => group.acknowledged,
        cell: (group) => rate(group.acknowledged),
      },
      {
        id: "failed",
        label: "Failed/s",
        numeric: true,
        value: (group) => group.failed,
        cell: (group) => rate(group.failed),
      },
      {
        id: "clients",
        label: "Clients",
        numeric: true,
        value: (group) => group.clientsHere,
        cell: (group) => number(group.clientsHere),
      },
      context.canOperate && {
        id: "act",
        label: "Act",
        sortable: false,
        value: (group) => group.isPaused,
        cell: (group, current) => pauseButton(context, current(), () => listing.refresh()),
      },
    ].filter(Boolean),
    below: ({ items }) =>
      items.length
        ? h(
          "p",
          { class: "quiet" },
          "Waiting and retrying are counted in the store, ",
          age(oldestCount(items)),
          "; the rest is of this broker, now.",
        )
        : null,
  });
  return [
    pageHead("Groups", "Who consumes, and what waits for them."),
    filterForm({ label: "Search groups", segments: ["groups"], query: context.query, fields }),
    listing.element,
  ];
}

function retrying(group) {
  if (group.retrying.count === 0) return "0";
  return [
    count(group.retrying),
    group.nextRetryAt ? [" ", h("span", { class: "quiet" }, "next ", age(group.nextRetryAt))] : null,
  ];
}

function oldestCount(items) {
  return items.map((group) => group.countedAt).sort()[0];
}
