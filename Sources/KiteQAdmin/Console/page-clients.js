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
    pageHead("Clients", "Who is connected to this broker."),
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
      cell: (client) => badge({ tcp: "TCP", tls: "TLS", http: "HTTP" }[client.protocol] ?? client.protocol),
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
