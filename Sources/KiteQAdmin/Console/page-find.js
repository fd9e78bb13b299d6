// Where a text leads that is no message's id: groups and topics with it in their names, and searches.

import { fill, h } from "./dom.js";
import { name, nameLink, pageHead, section } from "./parts.js";
import { link } from "./router.js";

export function find(context) {
  const { text } = context.parameters;
  const wanted = text.toLowerCase();
  const found = h("div", {});
  const feed = context.feed({
    every: null,
    load: async (signal) => {
      const topics = await context.api.get(["topics"], {}, signal);
      const groups = await context.api.get(["groups"], { limit: 500 }, signal);
      return {
        topics: topics.items.map((each) => each.topic),
        groups: groups.items.map((each) => each.group),
        isAll: !groups.next,
      };
    },
    show: ({ topics, groups, isAll }) =>
      fill(
        found,
        list(
          "Groups",
          groups.filter((each) => each.toLowerCase().includes(wanted)),
          "groups",
          isAll ? "None." : "None among the first 500.",
        ),
        list("Topics", topics.filter((each) => each.toLowerCase().includes(wanted)), "topics", "None."),
      ),
  });
  const search = (page, key, label) =>
    h("li", {}, h("a", { href: link([page], { [key]: text }) }, label, " ", name(text)));
  return [
    pageHead(["Find ", name(text)], "A message is found by its id, 32 hexadecimal digits."),
    feed.notice,
    found,
    section(
      "Search for it",
      h(
        "ul",
        {},
        search("groups", "search", "Groups whose name has"),
        search("topics", "search", "Topics whose name has"),
        search("messages", "topic", "Messages of the topic"),
        search("messages", "type", "Messages of the type"),
        search("messages", "group", "Messages owed to the group"),
        search("dead-letters", "group", "Dead letters of the group"),
        search("dead-letters", "topic", "Dead letters of the topic"),
      ),
    ),
  ];
}

function list(title, names, page, none) {
  return section(
    title,
    names.length
      ? h("ul", {}, names.slice(0, 50).map((each) => h("li", {}, nameLink(each, [page, each]))))
      : h("p", { class: "empty" }, none),
  );
}
