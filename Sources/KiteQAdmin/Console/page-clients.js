// The clients of this broker.

import { number } from "./format.js";
import { chosen, filterForm } from "./filters.js";
import { Listing } from "./listing.js";
import { badge, name, nameLink, pageHead } from "./parts.js";
import { age } from "./time.js";

const fields = [{ key: "group", label: "Group" }];

export function clients(context) {
  const filter = chosen(context.query, fields);
  const listing = new Listing(context, {
    every: 5,
    segments: ["clients"],
    kept: filter,
    load: (page, signal) => context.api.get(["connections"], { ...filter, ...page }, signal),
    caption: "Clients",
    key: (client) => client.id,
    empty: filter.group ? "This group has no client at this broker." : "No client is connected to this broker.",
    columns: clientColumns({ hasGroup: true }),
  });
  return [
    pageHead(
      "Clients",
      "Who is connected to this broker. One that is held back sends faster than the store takes: it is not read for a while.",
    ),
    filterForm({ label: "Filter clients", segments: ["clients"], query: context.query, fields, submit: "Filter" }),
    listing.element,
  ];
}

export function clientColumns({ hasGroup }) {
  return [
    {
      id: "peer",
      label: "Address",
      heading: true,
      value: (client) => client.peer,
      cell: (client) => name(client.peer),
    },
    hasGroup &&
    {
      id: "group",
      label: "Group",
      value: (client) => client.group,
      cell: (client) => nameLink(client.group, ["groups", client.group]),
    },
    {
      id: "protocol",
      label: "Protocol",
      value: (client) => client.protocol,
      sign: (client) => [client.protocol, client.isHeldBack],
      cell: (client) => [
        badge(client.protocol.toUpperCase()),
        client.isHeldBack ? [" ", badge("held back", "warning")] : null,
      ],
    },
    {
      id: "published",
      label: "Published",
      numeric: true,
      value: (client) => client.published,
      cell: (client) => number(client.published),
    },
    {
      id: "inFlight",
      label: "In flight",
      numeric: true,
      value: (client) => client.inFlight,
      cell: (client) => number(client.inFlight),
    },
    { id: "since", label: "Connected", value: (client) => client.since, cell: (client) => age(client.since) },
    { id: "id", label: "Connection", value: (client) => client.id, cell: (client) => name(client.id) },
  ].filter(Boolean);
}
