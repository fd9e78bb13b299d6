// The configuration in force.

import { h } from "./dom.js";
import { reloadButton } from "./broker-acts.js";
import { name, pageHead } from "./parts.js";
import { Table } from "./table.js";

export function configuration(context) {
  const table = new Table({
    caption: "Configuration",
    key: (item) => item.key,
    columns: [
      {
        id: "key",
        label: "Option",
        heading: true,
        value: (item) => item.key,
        cell: (item) => h("code", {}, name(item.key)),
      },
      { id: "value", label: "Value", value: (item) => item.value, cell: (item) => name(item.value) },
      { id: "source", label: "Said in", value: (item) => item.source, cell: (item) => name(item.source) },
    ],
  });
  const words = h("input", { type: "search", id: "narrow", autocomplete: "off", spellcheck: "false" });
  let items = [];
  const show = () => {
    const wanted = words.value.toLowerCase();
    table.show(items.filter(({ key, value, source }) => `${key} ${value} ${source}`.toLowerCase().includes(wanted)));
  };
  words.addEventListener("input", show);
  const feed = context.feed({
    every: null,
    load: (signal) => context.api.get(["configuration"], {}, signal),
    show: (answer) => {
      items = answer.items;
      show();
    },
  });
  return [
    pageHead(
      "Configuration",
      "Of this broker, in force now. Secrets are hidden.",
      context.canOperateBroker ? reloadButton(context, () => feed.refresh()) : null,
    ),
    h("div", { class: "field narrow" }, h("label", { for: "narrow" }, "Show options with"), words),
    feed.notice,
    table.element,
  ];
}
