/** How much of each of two texts is shown, and how much of what stands before the difference. */
const shown = 40;
const lead = 12;

/** "before → after" on one short line: of long texts the part around the first difference. */
export function shortPair(before: string, after: string): string {
  const [was, is] = [oneLine(before), oneLine(after)];
  if (was.length <= shown && is.length <= shown) return `${orNothing(was)} → ${orNothing(is)}`;
  let start = 0;
  while (start < was.length && start < is.length && was[start] === is[start]) start += 1;
  const from = Math.max(0, start - lead);
  return `${excerpt(was, from)} → ${excerpt(is, from)}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

function excerpt(text: string, from: number): string {
  const part = text.slice(from, from + shown);
  if (part === "") return orNothing(text === "" ? "" : "…");
  return `${from > 0 ? "…" : ""}${part}${from + shown < text.length ? "…" : ""}`;
}

function orNothing(text: string): string {
  return text === "" ? '""' : text;
}
