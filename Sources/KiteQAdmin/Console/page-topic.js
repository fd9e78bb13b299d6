// One topic: its rates, its counts, its last week.

import { h, renew } from "./dom.js";
import { number, rate } from "./format.js";
import { HistoryChart } from "./history-chart.js";
import { countNote } from "./page-topics.js";
import { badge, figures, name, pageHead, section, unreachableNote } from "./parts.js";
import { link } from "./router.js";

export function topic(context) {
  const title = context.parameters.topic;
  const body = h("div", {});
  const feed = context.feed({
    every: 2,
    load: (signal) => context.api.get(["topics"], {}, signal),
    show: (list) => {
      const topic = list.items.find((each) => each.topic === title);
      renew(
        body,
        unreachableNote(list.unreachable),
        topic
          ? topicFigures(topic, list)
          : h("p", {}, "This broker does not serve such a topic, and the store has no message of it."),
      );
    },
  });
  return [
    pageHead(["Topic ", name(title)]),
    feed.notice,
    body,
    h(
      "p",
      { class: "links" },
      h("a", { href: link(["messages"], { topic: title }) }, "Its messages"),
      h("a", { href: link(["dead-letters"], { topic: title }) }, "Its dead letters"),
      h("a", { href: link(["bindings"], { topic: title }) }, "Its bindings"),
    ),
    section("Messages over time", new HistoryChart(context, title).element),
  ];
}

function topicFigures(topic, list) {
  return [
    topic.isServed ? null : h("p", {}, badge("Not here", "warning"), " This broker does not serve it."),
    figures([
      ["Published", rate(topic.published), "/s"],
      ["Delivered", rate(topic.delivered), "/s"],
      ["Acknowledged", rate(topic.acknowledged), "/s"],
      ["Published here", number(topic.total)],
      ["Fresh", number(topic.fresh)],
      ["Tracked", number(topic.tracked)],
      ["Half", number(topic.half)],
    ]),
    countNote(list),
  ];
}
