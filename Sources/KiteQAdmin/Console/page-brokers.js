// All brokers of the store with their leases; this one can be drained.

import { h, renew } from "./dom.js";
import { drainButton, reloadButton } from "./broker-acts.js";
import { duration, number } from "./format.js";
import { badge, facts, name, pageHead, section, unreachableNote } from "./parts.js";
import { Table } from "./table.js";
import { age } from "./time.js";

const states = { alive: ["Alive", "good"], dead: ["Dead", "critical"], gone: ["Gone", "plain"] };

export function brokers(context) {
  const own = h("div", {});
  context.listen((overview) => renew(own, ownFacts(overview)));
  const table = new Table({
    caption: "Brokers",
    key: (broker) => broker.incarnation,
    empty: "No broker is registered in the store.",
    columns: [
      {
        id: "name",
        label: "Broker",
        heading: true,
        value: (broker) => broker.name,
        sign: (broker) => [broker.name, broker.isThis],
        cell: (broker) => [name(broker.name), broker.isThis ? [" ", badge("this one")] : null],
      },
      {
        id: "state",
        label: "State",
        value: (broker) => broker.state,
        cell: (broker) => badge(...(states[broker.state] ?? [broker.state])),
      },
      { id: "address", label: "Address", value: (broker) => broker.address, cell: (broker) => name(broker.address) },
      {
        id: "leases",
        label: "Leases",
        value: (broker) => broker.leases.length,
        sign: (broker) => broker.leases.map((lease) => [lease.shard, Math.floor(lease.remaining)]),
        cell: leases,
      },
      {
        id: "groups",
        label: "Groups with clients",
        value: (broker) => broker.groups.length,
        sign: (broker) => broker.groups,
        cell: groups,
      },
      { id: "joinedAt", label: "Joined", value: (broker) => broker.joinedAt, cell: (broker) => age(broker.joinedAt) },
      {
        id: "incarnation",
        label: "Incarnation",
        value: (broker) => broker.incarnation,
        cell: (broker) => name(broker.incarnation),
      },
    ],
  });
  const above = h("div", {});
  const feed = context.feed({
    every: 2,
    load: (signal) => context.api.get(["brokers"], {}, signal),
    show: (list) => {
      renew(above, unreachableNote(list.unreachable));
      table.show(list.items);
    },
  });
  return [
    pageHead("Brokers", "All that share this store; those that went within the last hour, too."),
    feed.notice,
    above,
    table.element,
    section(
      "This broker",
      own,
      context.canOperateBroker ? h("p", { class: "actions" }, reloadButton(context), " ", drainButton(context)) : null,
    ),
  ];
}

function leases(broker) {
  if (broker.leases.length === 0) return "none";
  return h(
    "ul",
    { class: "inline" },
    broker.leases.map((lease) =>
      h(
        "li",
        {},
        `shard ${lease.shard}: `,
        lease.remaining > 0 ? `${duration(lease.remaining)} left` : badge("run out", "critical"),
      )
    ),
  );
}

function groups(broker) {
  if (broker.groups.length === 0) return "none";
  const shown = broker.groups.slice(0, 8);
  return [
    h("ul", { class: "inline" }, shown.map((each) => h("li", {}, name(each)))),
    broker.groups.length > shown.length
      ? h("span", { class: "quiet" }, ` and ${number(broker.groups.length - shown.length)} more`)
      : null,
  ];
}

function unfinished({ awaitingStore, inFlight, unflushed }) {
  const left = awaitingStore + inFlight + unflushed;
  return `${number(left)}: ${number(awaitingStore)} awaiting the store, ${number(inFlight)} in flight, ${
    number(unflushed)
  } unflushed`;
}

function ownFacts({ broker, version, startedAt, queues }) {
  return facts([
    ["Broker", name(broker.name)],
    [
      "State",
      broker.state === "serving"
        ? badge("Serving", "good")
        : badge(broker.state === "draining" ? "Draining" : "Starting", "warning"),
    ],
    // Not for a token for some topics or groups alone.
    broker.state === "draining" && queues && ["Still to be finished", unfinished(queues)],
    ["Address", name(broker.address)],
    ["Incarnation", broker.incarnation ? name(broker.incarnation) : "none yet"],
    ["Version", name(version)],
    ["Started", age(startedAt)],
  ]);
}
