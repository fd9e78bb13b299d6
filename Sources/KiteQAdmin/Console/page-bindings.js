// The bindings in force.

import { chosen, filterForm } from "./filters.js";
import { number } from "./format.js";
import { Listing } from "./listing.js";
import { badge, name, nameLink, pageHead } from "./parts.js";

const fields = [{ key: "topic", label: "Topic" }, { key: "group", label: "Group" }];

export function bindings(context) {
  const filter = chosen(context.query, fields);
  const isFiltered = Object.keys(filter).length > 0;
  const listing = new Listing(context, {
    every: 10,
    segments: ["bindings"],
    kept: filter,
    load: (page, signal) => context.api.get(["bindings"], { ...filter, ...page }, signal),
    caption: "Bindings",
    key: (binding) => JSON.stringify([binding.topic, binding.group, binding.kind, binding.messageType]),
    empty: isFiltered ? "No binding matches." : "No group has declared a binding: what is published goes to nobody.",
    columns: [
      {
        id: "topic",
        label: "Topic",
        heading: true,
        value: (binding) => binding.topic,
        cell: (binding) => nameLink(binding.topic, ["topics", binding.topic]),
      },
      {
        id: "group",
        label: "Group",
        value: (binding) => binding.group,
        cell: (binding) => nameLink(binding.group, ["groups", binding.group]),
      },
      { id: "kind", label: "Kind", value: (binding) => binding.kind, cell: (binding) => badge(binding.kind) },
      {
        id: "messageType",
        label: "Type",
        value: (binding) => binding.messageType,
        sign: (binding) => [binding.kind, binding.messageType],
        cell: type,
      },
      {
        id: "watermark",
        label: "Watermark",
        numeric: true,
        value: (binding) => binding.watermark,
        cell: (binding) => number(binding.watermark),
      },
      { id: "persistent", label: "Kept for it while away", value: (binding) => (binding.persistent ? "yes" : "no") },
    ],
  });
  return [
    pageHead("Bindings", "Which groups want which messages, as this broker knows it."),
    filterForm({ label: "Filter bindings", segments: ["bindings"], query: context.query, fields, submit: "Filter" }),
    listing.element,
  ];
}

function type(binding) {
  return binding.kind === "fanout" ? "every type" : name(binding.messageType);
}
