// What an operator has to know, each with what to do about it.

import { h } from "./dom.js";
import { badge, name } from "./parts.js";
import { link } from "./router.js";

const severities = {
  critical: ["Critical", "critical"],
  warning: ["Warning", "warning"],
  information: ["Note", "plain"],
};
const places = [
  [/^dead/, "dead-letters", "Dead letters"],
  [/^transaction/, "transactions", "Transactions"],
  [/^group/, "groups", "Groups"],
  [/^(lease|registry|broker)/, "brokers", "Brokers"],
  [/^(store|shard)/, "shards", "Shards"],
];

/** Where a finding is looked into; that of a group is about "group NAME". */
function seeAlso(subject) {
  const group = /^group (.+)$/s.exec(subject);
  if (group) return h("a", { href: link(["groups", group[1]]) }, "See group ", name(group[1]));
  const place = places.find(([pattern]) => pattern.test(subject));
  return place ? h("a", { href: link([place[1]]) }, `See ${place[2]}`) : null;
}

/** Findings with what to do. `here` is the subject of the page itself, which needs no link to it. */
export function findingList(health, here) {
  return h(
    "ul",
    { class: "findings" },
    health.map((finding) => {
      const [label, kind] = severities[finding.severity] ?? ["Note", "plain"];
      return h(
        "li",
        { class: kind },
        h("p", {}, badge(label, kind), " ", h("strong", {}, name(finding.text))),
        h(
          "p",
          { class: "what-to-do" },
          h("span", { class: "quiet" }, "What to do: "),
          name(finding.action),
          " ",
          finding.subject === here ? null : seeAlso(finding.subject),
        ),
      );
    }),
  );
}

/** The findings about a group; `live` has the last overview. */
export function groupFindings(live, group) {
  return (live.overview?.health ?? []).filter(({ subject }) => subject === `group ${group}`);
}
