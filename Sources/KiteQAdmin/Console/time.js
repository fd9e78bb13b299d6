// Times are shown in the reader's zone with the exact UTC in the title; ages run by the broker's clock.

import { h } from "./dom.js";
import { duration } from "./format.js";

let offset = 0;

/** Takes the broker's clock from an answer, so that a wrong clock of this machine makes no wrong age. Milliseconds. */
export function setBrokerClock(iso, askedAt, answeredAt) {
  offset = Date.parse(iso) - (askedAt + answeredAt) / 2;
}

/** Now by the broker's clock, in milliseconds. */
export function brokerNow() {
  return Date.now() + offset;
}

const clockTime = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const withDay = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const withYear = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** 14:03:22 of today, else with the day, of another year with the year. `exact` adds milliseconds. */
export function localTime(milliseconds, exact = false) {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return "–";
  const today = new Date();
  let format = withYear;
  if (date.toDateString() === today.toDateString()) format = clockTime;
  else if (date.getFullYear() === today.getFullYear()) format = withDay;
  const fraction = exact ? `.${String(date.getMilliseconds()).padStart(3, "0")}` : "";
  return format.format(date) + fraction;
}

/** A point in time. */
export function time(iso, { exact = false } = {}) {
  if (!iso) return "–";
  return h("time", { datetime: iso, title: `${iso} (UTC)` }, localTime(Date.parse(iso), exact));
}

/** How long ago, or in how long; goes on by itself. */
export function age(iso) {
  if (!iso) return "–";
  const element = h("time", { datetime: iso, title: `${iso} (UTC)`, "data-age": "" });
  element.textContent = ageText(iso);
  return element;
}

/** "3 min ago", or "in 3 min". */
export function ageText(iso) {
  const seconds = (brokerNow() - Date.parse(iso)) / 1000;
  if (Number.isNaN(seconds)) return "–";
  if (seconds < -1) return `in ${duration(-seconds)}`;
  return seconds < 1 ? "now" : `${duration(seconds)} ago`;
}

/** Lets all ages of the document go on, each second while they are seen. */
export function runAges() {
  setInterval(() => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll("time[data-age]")) {
      const text = ageText(element.dateTime);
      if (element.textContent !== text) element.textContent = text;
    }
  }, 1000);
}

/** A datetime-local field's value as the API's time; "" where it is empty or no time. */
export function fieldToISO(value) {
  const date = new Date(value);
  return value && !Number.isNaN(date.getTime()) ? date.toISOString() : "";
}

/** The API's time as a datetime-local field's value. */
export function isoToField(iso) {
  const date = new Date(iso ?? "");
  if (Number.isNaN(date.getTime())) return "";
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}
