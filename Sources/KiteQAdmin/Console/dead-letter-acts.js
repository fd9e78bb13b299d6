// Requeueing and deleting dead letters: those that are named, or all that match a filter with the count asked back.

import { askToAct } from "./act-dialog.js";
import { h } from "./dom.js";
import { count, number } from "./format.js";
import { facts, name } from "./parts.js";

const acts = {
  requeue: {
    label: "Requeue", past: "requeued",
    text: "Each goes back to the group that it is of, and is delivered with its attempts counted anew.",
  },
  delete: {
    label: "Delete", past: "deleted", isDangerous: true,
    text: "They are deleted for good, with their content.",
  },
};

/** Asks about these letters, by their ids. */
export function askAboutLetters(context, kind, letters, changed) {
  const act = acts[kind];
  askToAct({
    title: `${act.label} ${lettersWord(letters.length)}`,
    facts: [
      letters.length <= 10 ? facts([["Letters", letters.join(", ")]]) : null,
      h("p", {}, act.text),
    ],
    label: act.label,
    isDangerous: act.isDangerous,
    act: async () => resultPanel(await context.api.post(["dead-letters", kind], { letters }), act),
    done: changed,
  });
}

/** Asks about all that match: how many they are is asked first, shown, and handed back. */
export function askAboutAll(context, kind, filter, words, changed) {
  const act = acts[kind];
  askToAct({
    title: `${act.label} all that match`,
    label: act.label,
    isDangerous: act.isDangerous,
    prepare: async () => optionsFor(await context.api.post(["dead-letters", "count"], filter), { act, context, filter, kind, words }),
    done: changed,
  });
}

function optionsFor(counted, { act, context, filter, kind, words }) {
  if (counted.count === 0) return { blocked: "No dead letter matches: there is nothing to do." };
  if (counted.isAtLeast) {
    return { blocked: `${count(counted)} match, and no more are counted. An act needs the exact count: narrow the filter, for example by time, and go on in parts.` };
  }
  return {
    title: `${act.label} ${lettersWord(counted.count)}`,
    facts: [facts([["Filter", name(words)], ["They match", number(counted.count)]]), h("p", {}, act.text)],
    typed: act.isDangerous ? String(counted.count) : null,
    label: `${act.label} ${number(counted.count)}`,
    act: async () => {
      try {
        return resultPanel(await context.api.post(["dead-letters", kind], { filter, count: counted.count }), act);
      } catch (problem) {
        // Others came or went meanwhile; nothing was done. What matches now is asked about anew.
        if (problem.status === 409 && problem.count !== undefined) {
          problem.again = optionsFor({ count: problem.count, isAtLeast: false }, { act, context, filter, kind, words });
        }
        throw problem;
      }
    },
  };
}

function lettersWord(some) {
  return some === 1 ? "1 dead letter" : `${number(some)} dead letters`;
}

function resultPanel({ done, skipped }, act) {
  return [
    h("p", {}, `${lettersWord(done)} ${act.past}.`),
    skipped.length ? [
      h("p", { class: "warn" }, `${number(skipped.length)} left as they were:`),
      h("ul", { class: "skipped" }, skipped.slice(0, 100).map((each) => h("li", {}, `${each.letter}: `, name(each.reason)))),
      skipped.length > 100 ? h("p", { class: "quiet" }, `and ${number(skipped.length - 100)} more.`) : null,
    ] : null,
  ];
}
