// Health at a glance, what flows, and what the last week looked like.

import { Chart } from "./chart.js";
import { h, renew } from "./dom.js";
import { findingList } from "./findings.js";
import { bytes, count, duration, number, rate, sumOfCounts } from "./format.js";
import { HistoryChart } from "./history-chart.js";
import { liveSpan } from "./live.js";
import { badge, figures, name, pageHead, section, unreachableNote } from "./parts.js";
import { link } from "./router.js";
import { age, brokerNow } from "./time.js";

export function overview(context) {
  const health = h("div", { class: "health-panel" });
  const now = h("div", {});
  const rates = new Chart({
    title: "Live rates",
    unit: "messages a second",
    kind: "lines",
    format: rate,
    series: [
      { key: "published", label: "Published", tone: "first" },
      { key: "delivered", label: "Delivered", tone: "second" },
      { key: "acknowledged", label: "Acknowledged", tone: "third" },
      { key: "failed", label: "Failed", tone: "bad" },
    ],
  });
  const history = new HistoryChart(context);
  const states = h("div", {});
  context.listen((overview) => {
    renew(health, healthPanel(overview));
    renew(now, overview.rates ? nowFigures(overview) : scopedFigures(overview));
    if (!overview.rates) return;
    // What was not seen yet takes no room, but two minutes at least: fewer would jump about.
    const until = brokerNow();
    rates.show(context.live.samples, {
      from: Math.max(until - liveSpan, Math.min(context.live.samples[0].at, until - 120_000)),
      until,
    });
  });
  if (!context.isForAll) {
    return [
      pageHead("Overview", "This broker at a glance, as far as your topics and groups go."),
      scopeNote(context.session),
      health,
      section("Now", now),
      section("Messages over time", history.element),
    ];
  }
  const shards = context.feed({
    every: 10,
    load: (signal) => context.api.get(["shards"], {}, signal),
    show: (list) => renew(states, statePanel(list)),
  });
  return [
    pageHead("Overview", "This broker at a glance; counts by state are of the whole store."),
    health,
    section("Now", now, rates.element),
    section("Messages by state", shards.notice, states),
    section("Messages over time", history.element),
  ];
}

/** What a token is for that is not for all. */
function scopeNote({ topics, groups }) {
  const some = (names) => {
    if (names === null) return "all";
    return names.length ? names.map((each, place) => [place ? ", " : "", name(each)]) : "none";
  };
  return h("p", { class: "quiet" }, "Your token is for topics: ", some(topics), "; groups: ", some(groups), ".");
}

function life(version, startedAt) {
  return ["Version ", name(version), ", started ", age(startedAt)];
}

function scopedFigures({ startedAt, version }) {
  return h(
    "p",
    { class: "quiet" },
    ...life(version, startedAt),
    ". Rates, queues and counts over all topics and groups are not shown: your token is for some of them alone. ",
    h("a", { href: link(["topics"]) }, "Your topics"),
    " and ",
    h("a", { href: link(["groups"]) }, "your groups"),
    " have theirs.",
  );
}

function healthPanel({ health, broker }) {
  if (broker.state === "draining") {
    return [
      h(
        "p",
        { class: "draining" },
        badge("Draining", "warning"),
        " This broker takes nothing new and ends when what it has is done.",
      ),
      findingList(health),
    ];
  }
  if (health.length > 0) return findingList(health);
  return h("p", { class: "calm" }, badge("All is well", "good"), " Nothing needs you.");
}

function nowFigures({ rates, queues, memory, leases, startedAt, version, totals }) {
  return [
    figures([
      ["Published", rate(rates.published), "/s"],
      ["Delivered", rate(rates.delivered), "/s"],
      ["Acknowledged", rate(rates.acknowledged), "/s"],
      ["Failed", rate(rates.failed), "/s"],
      ["In flight", number(queues.inFlight)],
      ["Queued", number(queues.queued)],
      ["Awaiting store", number(queues.awaitingStore)],
      ["Unflushed", number(queues.unflushed)],
      ["Clients", number(queues.connections)],
      ["Groups here", number(queues.groups)],
      ["In memory", bytes(memory.bytes)],
    ]),
    h(
      "p",
      { class: "quiet" },
      ...life(version, startedAt),
      `; since then ${number(totals.published)} published, ${number(totals.acknowledged)} acknowledged, `,
      `${number(totals.failedDeliveries)} failed deliveries, ${number(totals.deadLettered)} dead-lettered. ${
        leaseWords(leases)
      }`,
    ),
  ];
}

function leaseWords(leases) {
  if (leases.length === 0) return "It holds no lease.";
  const out = leases.filter((lease) => lease.remaining <= 0).map((lease) => lease.shard);
  if (out.length) return `Its lease has run out at shard ${out.join(", ")}.`;
  const shortest = Math.min(...leases.map((lease) => lease.remaining));
  return `It holds ${leases.length === 1 ? "its lease" : `${leases.length} leases`}; the shortest has ${
    duration(shortest)
  } left.`;
}

const states = [
  ["fresh", "Fresh", "first", "owed to all of their groups", "messages"],
  ["tracked", "Tracked", "second", "each group has a state of its own", "messages"],
  ["half", "Half", "third", "not committed yet", "transactions"],
  ["deadLetters", "Dead letters", "bad", "could not be delivered", "dead-letters"],
];

function statePanel({ items, at }) {
  const sums = states.map(([key, label, tone, about, page]) => {
    const sum = sumOfCounts(items.map((shard) => (key === "deadLetters" ? shard.deadLetters : shard.counts?.[key])));
    return { key, label, tone, about, page, sum };
  });
  const all = sums.reduce((total, { sum }) => total + sum.count, 0);
  const missing = items.filter((shard) => !shard.isReachable).map(({ shard, reason }) => ({
    shard,
    reason: reason ?? "It does not answer.",
  }));
  let left = 0;
  const bars = sums.map(({ sum, tone }) => {
    const width = all ? sum.count / all * 100 : 0;
    left += width;
    return h("rect", { class: `bar ${tone}`, x: `${left - width}%`, y: 0, width: `${width}%`, height: 12 });
  });
  return [
    unreachableNote(missing),
    h(
      "svg",
      { class: "share", width: "100%", height: 12, "aria-hidden": "true" },
      h("rect", { class: "share-ground", width: "100%", height: 12 }),
      bars,
    ),
    h(
      "ul",
      { class: "shares" },
      sums.map(({ key, label, tone, about, page, sum }) =>
        h(
          "li",
          {},
          h(
            "svg",
            { class: "key", width: 12, height: 12, "aria-hidden": "true" },
            h("rect", { class: `bar ${tone}`, width: 12, height: 12 }),
          ),
          h("a", { href: page === "messages" ? link([page], { state: key }) : link([page]) }, label),
          " ",
          h("strong", {}, count(sum)),
          " ",
          h("span", { class: "quiet" }, about),
        )
      ),
    ),
    h("p", { class: "quiet" }, "Counted ", age(at), "."),
  ];
}
