/** How one component was and is, and that in a few words. */
export interface Difference {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly text: string;
}

/** Tells apart a changed script, a changed argument, and another command. */
export function commandDifference(
  before: readonly string[],
  after: readonly string[],
): Difference | undefined {
  const length = Math.max(before.length, after.length);
  const places = Array.from({ length }, (_, at) => at).filter((at) => before[at] !== after[at]);
  const [first] = places;
  if (first === undefined) return undefined;
  if (first === 0) {
    return { name: "command", before: before[0], after: after[0], text: "command changed" };
  }
  const values = { before: before[first], after: after[first] };
  const isScript = first === 2 && /^-\w*c$/.test(after[1] ?? "");
  if (isScript && places.length === 1) {
    return { name: "script", ...values, text: "command changed" };
  }
  if (places.length > 1 || before.length !== after.length) {
    const joined = { before: before.slice(first).join(" "), after: after.slice(first).join(" ") };
    return { name: "arguments", ...joined, text: "arguments changed" };
  }
  const text = `argument ${first} changed: ${short(values.before)} → ${short(values.after)}`;
  return { name: `argument ${first}`, ...values, text };
}

function short(text: string | undefined): string {
  const line = (text ?? "").replaceAll(/\s+/g, " ");
  return line.length > 30 ? `${line.slice(0, 29)}…` : line;
}
