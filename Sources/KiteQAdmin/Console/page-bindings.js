// The bindings in force.

import { number } from "./format.js";
import { Listing } from "./listing.js";
import { badge, name, nameLink, pageHead } from "./parts.js";

export function bindings(context) {
  const listing = new Listing(context, {
    every: 10,
    segments: ["bindings"],
    load: (page, signal) => context.api.get(["bindings"], page, signal),
    caption: "Bindings",
    key: (binding) => JSON.stringify([binding.topic, binding.group, binding.kind, binding.messageType]),
    empty: "No group has declared a binding: what is published goes to nobody.",
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
  return [pageHead("Bindings", "Which groups want which messages, as this broker knows it."), listing.element];
}

function type(binding) {
  return binding.kind === "fanout" ? "every type" : name(binding.messageType);
}
