// Pages are addressed by the hash: #/groups/NAME?key=value.

/** { segments, query } of a hash; null where it cannot be read. */
export function parseHash(hash) {
  const text = hash.replace(/^#\/?/, "");
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1));
  try {
    return { segments: path.split("/").filter((each) => each !== "").map(decodeURIComponent), query };
  } catch {
    return null;
  }
}

/** The hash of a page. Parameters that are empty are left out. */
export function link(segments, parameters = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== "" && value !== null && value !== undefined) query.set(key, value);
  }
  const text = query.toString();
  return `#/${segments.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** The page for these segments: { open, parameters }, or null. A pattern's segment that begins with a colon takes any. */
export function match(routes, segments) {
  for (const [pattern, open] of routes) {
    const wanted = pattern === "" ? [] : pattern.split("/");
    if (wanted.length !== segments.length) continue;
    const parameters = {};
    const fits = wanted.every((part, index) => {
      if (!part.startsWith(":")) return part === segments[index];
      parameters[part.slice(1)] = segments[index];
      return true;
    });
    if (fits) return { open, parameters };
  }
  return null;
}
