// One dead letter with its message.

import { fill, h } from "./dom.js";
import { askAboutLetters } from "./dead-letter-acts.js";
import { reasonBadge } from "./dead-letter-columns.js";
import { number } from "./format.js";
import { contentPanel } from "./message-content.js";
import { button, facts, messageLink, name, nameLink, pageHead, section } from "./parts.js";
import { age, time } from "./time.js";
import { transactionButtons } from "./transaction-acts.js";

export function deadLetter(context) {
  const { letter } = context.parameters;
  const act = h("span", { class: "actions" });
  const body = h("div", {});
  const feed = context.feed({
    every: null,
    load: (signal) => context.api.get(["dead-letters", letter], {}, signal),
    show: ({ deadLetter, content }) => {
      fill(act, context.canOperate ? actButtons(context, deadLetter, () => feed.refresh()) : null);
      fill(body, letterFacts(deadLetter), section("Content", contentPanel(content)));
    },
  });
  return [pageHead(["Dead letter ", name(letter)], null, act), feed.notice, body];
}

/** What nobody decided is decided with a reason, rather than requeued or deleted. */
function actButtons(context, deadLetter, changed) {
  if (deadLetter.reason === "undecided") return transactionButtons(context, deadLetter, changed);
  return [
    button("Requeue…", () => askAboutLetters(context, "requeue", [deadLetter], changed)),
    " ",
    button("Delete…", () => askAboutLetters(context, "delete", [deadLetter], changed)),
  ];
}

function letterFacts(letter) {
  return facts([
    ["Reason", reasonBadge(letter.reason)],
    ["Group", letter.group ? nameLink(letter.group, ["groups", letter.group]) : "none: it was never committed"],
    ["Attempts", number(letter.attempts)],
    ["Last error", letter.lastError ? name(letter.lastError) : "none is known"],
    ["Died", [time(letter.diedAt, { exact: true }), " (", age(letter.diedAt), ")"]],
    ["Message", messageLink(letter.id)],
    ["Topic", nameLink(letter.topic, ["topics", letter.topic])],
    ["Type", name(letter.messageType)],
    ["Published by", name(letter.publisherGroup)],
    ["Published", [time(letter.publishedAt, { exact: true }), " (", age(letter.publishedAt), ")"]],
  ]);
}
