// Requeueing and deleting dead letters: those that are named, or all that match a filter with the count asked back.

import { askToAct } from "./act-dialog.js";
import { h } from "./dom.js";
import { count, number } from "./format.js";
import { facts, name } from "./parts.js";

const acts = {
  requeue: {
    label: "Requeue",
    past: "requeued",
    text: "Each goes back to the group that it is of, and is delivered with its attempts counted anew.",
    undecided: "To requeue an undecided half message is to commit it: it goes to its groups.",
  },
  delete: {
    label: "Delete",
    past: "deleted",
    isDangerous: true,
    text: "They are deleted for good, with their content.",
    undecided: "To delete an undecided half message is to roll it back.",
  },
};

/** Asks about these dead letters. */
export function askAboutLetters(context, kind, letters, changed) {
  const act = acts[kind];
  const undecided = letters.filter((each) => each.reason === "undecided").length;
  const ids = letters.map((each) => each.letter);
  askToAct({
    title: `${act.label} ${lettersWord(ids.length)}`,
    facts: [ids.length <= 10 ? facts([["Letters", ids.join(", ")]]) : null, h("p", {}, act.text)],
    warning: undecided ? `${number(undecided)} of them undecided. ${act.undecided}` : null,
    reason: "optional",
    label: act.label,
    isDangerous: act.isDangerous,
    act: async ({ reason }) => resultPanel(await context.api.post(["dead-letters", kind], { letters: ids, reason }), act),
    done: changed,
  });
}

/** Asks about all that match: how many they are is asked first, shown, and handed back. */
export function askAboutAll(context, kind, filter, words, changed) {
  const act = acts[kind];
  const options = (counted) => optionsFor(counted, { act, context, filter, kind, words });
  askToAct({
    title: `${act.label} all that match`,
    reason: "optional",
    label: act.label,
    isDangerous: act.isDangerous,
    prepare: async () => options(await context.api.post(["dead-letters", "count"], filter)),
    done: changed,
  });
}

function optionsFor(counted, how) {
  const { act, context, filter, kind, words } = how;
  const undecided = undecidedWords(filter, act);
  if (counted.count === 0) {
    return { blocked: `No dead letter matches: there is nothing to do.${filter.reason ? "" : ` ${undecided}`}` };
  }
  return {
    title: `${act.label} ${lettersWord(counted.count)}`,
    facts: [
      facts([["Filter", name(words)], ["Matching", count(counted)]]),
      counted.isAtLeast
        ? h(
          "p",
          {},
          `More may match than are counted. These ${
            number(counted.count)
          } are done now, the oldest first; what is left is for another time.`,
        )
        : null,
      h("p", {}, act.text),
      filter.reason ? null : h("p", { class: "quiet" }, undecided),
    ],
    warning: filter.reason === "undecided" ? undecided : null,
    typed: act.isDangerous ? String(counted.count) : null,
    label: `${act.label} ${number(counted.count)}`,
    act: async ({ reason }) => {
      try {
        const body = { filter, count: counted.count, reason };
        return resultPanel(await context.api.post(["dead-letters", kind], body), act);
      } catch (problem) {
        // Others came or went meanwhile; nothing was done. What matches now is asked about anew.
        if (problem.status === 409 && Number.isInteger(problem.count)) {
          problem.again = optionsFor({ count: problem.count, isAtLeast: false }, how);
        }
        throw problem;
      }
    },
  };
}

/** Undecided ones are acted on only where they are asked for: see actingFilter of the broker. */
function undecidedWords(filter, act) {
  return filter.reason === "undecided"
    ? act.undecided
    : "Undecided half messages are left out: filter for the reason undecided to act on them.";
}

function lettersWord(some) {
  return some === 1 ? "1 dead letter" : `${number(some)} dead letters`;
}

function resultPanel({ done, skipped }, act) {
  return [
    h("p", {}, `${lettersWord(done)} ${act.past}.`),
    skipped.length
      ? [
        h("p", { class: "warn" }, `${number(skipped.length)} left as they were:`),
        h(
          "ul",
          { class: "skipped" },
          skipped.slice(0, 100).map((each) => h("li", {}, `${each.letter}: `, name(each.reason))),
        ),
        skipped.length > 100 ? h("p", { class: "quiet" }, `and ${number(skipped.length - 100)} more.`) : null,
      ]
      : null,
  ];
}
