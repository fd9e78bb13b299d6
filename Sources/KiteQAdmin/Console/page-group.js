// One group: its lag, its pause, its clients.

import { fill, h, renew } from "./dom.js";
import { findingList, groupFindings } from "./findings.js";
import { count, number, rate } from "./format.js";
import { clientColumns } from "./page-clients.js";
import { groupState, pauseButton, unbindButton } from "./group-columns.js";
import { Table } from "./table.js";
import { facts, figures, name, pageHead, section, unreachableNote } from "./parts.js";
import { link } from "./router.js";
import { age } from "./time.js";

export function group(context) {
  const title = context.parameters.group;
  const act = h("span", {});
  const body = h("div", {});
  let paused = null;
  const found = h("div", {});
  context.listen(() => {
    // That it is paused stands below, with its age.
    const findings = groupFindings(context.live, title).filter(({ severity }) => severity !== "information");
    renew(found, findings.length ? findingList(findings, `group ${title}`) : null);
  });
  const feed = context.feed({
    every: 2,
    load: (signal) => context.api.get(["groups", title], {}, signal),
    show: (group) => {
      if (context.canOperate && paused !== group.isPaused) {
        const changed = () => feed.refresh();
        fill(act, pauseButton(context, group, changed), " ", unbindButton(context, group, changed));
      }
      paused = group.isPaused;
      renew(body, groupFacts(context, group));
    },
  });
  const clients = new Table({
    caption: "Clients of this group at this broker",
    key: (each) => each.id,
    columns: clientColumns({ hasGroup: false }),
    empty: "It has no client at this broker.",
  });
  const more = h("div", {});
  const connections = context.feed({
    every: 5,
    load: (signal) => context.api.get(["connections"], { group: title }, signal),
    show: (page) => {
      clients.show(page.items);
      renew(
        more,
        page.next ? h("p", {}, h("a", { href: link(["clients"], { group: title }) }, "There are more clients")) : null,
      );
    },
  });
  return [
    pageHead(["Group ", name(title)], null, act),
    feed.notice,
    found,
    body,
    h(
      "p",
      { class: "links" },
      h("a", { href: link(["messages"], { group: title }) }, "Messages owed to it"),
      h("a", { href: link(["dead-letters"], { group: title }) }, "Its dead letters"),
      h("a", { href: link(["bindings"], { group: title }) }, "Its bindings"),
    ),
    section("Clients at this broker", connections.notice, clients.element, more),
  ];
}

function groupFacts(context, group) {
  return [
    unreachableNote(group.unreachable),
    group.pause
      ? h(
        "p",
        { class: "warn" },
        "Paused ",
        age(group.pause.at),
        " by ",
        name(group.pause.by),
        ": ",
        name(group.pause.reason),
      )
      : null,
    figures([
      ["Waiting", count(group.waiting)],
      ["Oldest waiting", age(group.oldestAt)],
      ["In flight here", number(group.inFlight)],
      ["Queued here", number(group.queued)],
      ["Retrying", count(group.retrying)],
      ["Dead letters", count(group.deadLetters)],
      ["Delivered", rate(group.delivered), "/s"],
      ["Acknowledged", rate(group.acknowledged), "/s"],
      ["Failed", rate(group.failed), "/s"],
    ]),
    facts([
      ["State", groupState(group)],
      ["Next retry", group.nextRetryAt ? age(group.nextRetryAt) : "none is due"],
      ["Clients", [
        `${number(group.clientsHere)} here; brokers with clients of it: `,
        group.brokers.length ? group.brokers.map((each, index) => [index ? ", " : "", name(each)]) : "none",
      ]],
      [
        "Since this broker serves",
        `${number(group.totals.delivered)} delivered, ${number(group.totals.acknowledged)} acknowledged, ${
          number(group.totals.refused)
        } refused, ${number(group.totals.timedOut)} timed out, ${number(group.totals.deadLettered)} dead-lettered`,
      ],
      ["Limits at this broker", limits(group.limits)],
      ["Counted in the store", age(group.countedAt)],
    ]),
  ];
}

/** Those that are set; a broker of before has none to show. */
function limits(of = {}) {
  const set = [
    [of.maxConnections, "connections"],
    [of.maxRate, "messages a second"],
    [of.maxBytes, "bytes a second"],
    [of.maxHalfMessages, "undecided half messages"],
    [of.maxBacklog, "waiting messages"],
  ].filter(([limit]) => limit > 0);
  return set.length ? set.map(([limit, what]) => `${number(limit)} ${what}`).join(", ") : "none";
}
