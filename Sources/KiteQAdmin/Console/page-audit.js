// What was done, by whom.

import { Listing } from "./listing.js";
import { badge, name, pageHead } from "./parts.js";
import { time } from "./time.js";

export function audit(context) {
  const text = (id, label) => ({
    id,
    label,
    value: (entry) => entry[id],
    cell: (entry) => (entry[id] ? name(entry[id]) : "–"),
  });
  const listing = new Listing(context, {
    every: context.query.get("cursor") ? null : 10,
    segments: ["audit"],
    load: (page, signal) => context.api.get(["audit"], page, signal),
    caption: "Audit log",
    key: (entry) => entry.id,
    empty: "Nothing was done yet.",
    columns: [
      { id: "at", label: "When", heading: true, value: (entry) => entry.at, cell: (entry) => time(entry.at) },
      text("actor", "Who"),
      { id: "role", label: "Role", value: (entry) => entry.role, cell: (entry) => badge(entry.role) },
      text("action", "Act"),
      text("target", "On what"),
      {
        id: "detail",
        label: "Detail",
        value: (entry) => detailText(entry.detail),
        cell: (entry) => name(detailText(entry.detail) || "–"),
      },
      text("outcome", "Outcome"),
      text("remote", "From"),
    ],
  });
  return [pageHead("Audit log", "What was done over the API, newest first."), listing.element];
}

/** What the broker keeps as a JSON object, in words. */
function detailText(detail) {
  let parts;
  try {
    parts = JSON.parse(detail);
  } catch {
    return detail;
  }
  if (parts === null || typeof parts !== "object" || Array.isArray(parts)) return detail;
  return Object.entries(parts).map(([key, value]) => `${key}: ${value}`).join(", ");
}
