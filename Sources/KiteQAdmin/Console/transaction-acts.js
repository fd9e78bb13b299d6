// Deciding a transaction in its publisher's place.

import { askToAct } from "./act-dialog.js";
import { h } from "./dom.js";
import { button, facts, name } from "./parts.js";
import { age } from "./time.js";

/** Two buttons for a message that nobody has decided. */
export function transactionButtons(context, transaction, changed) {
  return [
    button("Commit…", () =>
      ask(context, transaction, changed, {
        title: "Commit a transaction",
        path: "commit",
        label: "Commit",
        text:
          "The message goes to its groups. This cannot be taken back. Be sure that the publisher's own work was done.",
      })),
    " ",
    button("Roll back…", () =>
      ask(context, transaction, changed, {
        title: "Roll back a transaction",
        path: "rollback",
        label: "Roll back",
        isDangerous: true,
        text:
          "The message is thrown away and goes to nobody. This cannot be taken back. Be sure that the publisher's own work was not done.",
      })),
  ];
}

function ask(context, transaction, changed, { title, path, label, text, isDangerous }) {
  askToAct({
    title,
    facts: [
      facts([
        ["Message", h("span", { class: "id" }, name(transaction.id))],
        transaction.topic && ["Topic", name(transaction.topic)],
        transaction.messageType && ["Type", name(transaction.messageType)],
        transaction.publisherGroup && ["Published by", name(transaction.publisherGroup)],
        transaction.publishedAt && ["Published", age(transaction.publishedAt)],
      ]),
      h("p", {}, text),
    ],
    reason: true,
    label,
    isDangerous,
    act: async ({ reason }) => (await context.api.post(["transactions", transaction.id, path], { reason })).done,
    done: changed,
  });
}
