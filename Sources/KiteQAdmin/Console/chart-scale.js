// Where the marks of an axis are. Pure.

/** A round maximum at or above `value`, and the step between about `wanted` marks. */
export function niceScale(value, wanted = 4) {
  if (!(value > 0)) return { maximum: 1, step: 1 };
  const rough = value / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough * (1 - 1e-9));
  return { maximum: Math.ceil(value / step - 1e-9) * step, step };
}

const minute = 60_000;
const steps = [
  10_000,
  30_000,
  minute,
  2 * minute,
  5 * minute,
  10 * minute,
  15 * minute,
  30 * minute,
  60 * minute,
  120 * minute,
  180 * minute,
  360 * minute,
  720 * minute,
  1440 * minute,
  2880 * minute,
  10_080 * minute,
];

/** Marks of time between two points, on round local times. Milliseconds. */
export function timeMarks(from, until, wanted) {
  const step = steps.find((each) => (until - from) / each <= wanted) ?? steps.at(-1);
  const zone = new Date(from).getTimezoneOffset() * minute;
  const marks = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= until; at += step) marks.push(at);
  return { step, marks };
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const seconds = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric" });

/** What stands at a mark. */
export function timeLabel(at, step) {
  if (step >= 720 * minute) return day.format(at);
  return (step < minute ? seconds : clock).format(at);
}
