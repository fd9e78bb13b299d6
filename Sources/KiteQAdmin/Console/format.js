// How values are written. Pure: no document, no clock.

const integers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

/** 1234567 → 1,234,567 */
export function number(value) {
  return value === null || value === undefined ? "–" : integers.format(value);
}

/** The API's Count: "100,000+" where counting ended at a bound. */
export function count(value) {
  return value ? number(value.count) + (value.isAtLeast ? "+" : "") : "–";
}

/** Several Counts together. */
export function sumOfCounts(counts) {
  const known = counts.filter(Boolean);
  return {
    count: known.reduce((sum, each) => sum + each.count, 0),
    isAtLeast: known.some((each) => each.isAtLeast),
  };
}

/** Per second, without the unit: 0, <0.1, 3.4, 1,200. */
export function rate(value) {
  if (value === null || value === undefined) return "–";
  if (value > 0 && value < 0.1) return "<0.1";
  return value < 10 ? tenths.format(value) : integers.format(value);
}

/** Bytes: 512 B, 3.4 KiB, 1.2 GiB. */
export function bytes(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1024) return `${number(value)} B`;
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  let scaled = value / 1024;
  let unit = 0;
  while (scaled >= 1023.95 && unit < units.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${scaled < 100 ? tenths.format(scaled) : integers.format(scaled)} ${units[unit]}`;
}

/** Seconds, rounded down to what one wants to know: 0.4 s, 12 s, 3 min, 2 h 5 min, 4 d 3 h. */
export function duration(seconds) {
  if (seconds < 1) return `${tenths.format(Math.max(0, seconds))} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/** Short times such as an answer's: 0.4 ms, 12 ms, 1.2 s. */
export function latency(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  return seconds < 1 ? `${tenths.format(seconds * 1000)} ms` : `${tenths.format(seconds)} s`;
}

// What cannot be seen, begins a line or turns the direction of writing: by the same categories everywhere in KiteQ (VisibleText).
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?=\p{DI})\p{Cn}/gu;
const unseenInBody = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?=\p{DI})\p{Cn}/gu;

function spellOut(character) {
  return `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** A name with what cannot be seen spelt out, so that two names that differ look different. */
export function visible(text) {
  return String(text).replace(unseen, spellOut);
}

/** A body: as names, but lines and tabs stay. */
export function visibleBody(text) {
  return String(text).replace(/\r\n/g, "\n").replace(unseenInBody, spellOut);
}

/** Base64 as a hex dump with offsets and ASCII. Null where it is no base64. */
export function hexDump(base64) {
  let binary;
  try {
    binary = atob(base64);
  } catch {
    return null;
  }
  const lines = [];
  for (let offset = 0; offset < binary.length; offset += 16) {
    const part = binary.slice(offset, offset + 16);
    const hex = [...part].map((each) => each.charCodeAt(0).toString(16).padStart(2, "0"));
    const left = hex.slice(0, 8).join(" ").padEnd(23);
    const right = hex.slice(8).join(" ").padEnd(23);
    lines.push(`${offset.toString(16).padStart(8, "0")}  ${left}  ${right}  ${part.replace(/[^\x20-\x7e]/g, ".")}`);
  }
  return lines.join("\n");
}
