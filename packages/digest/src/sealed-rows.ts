import type { Seal } from "./seal.ts";
import { sealText, unsealText } from "./sealed-text.ts";

/**
 * The rows of a memo that is read line by line, by name: under a seal a line that says what memo it is, then a line for each row, which begins with its name and
 * a tab. None where that line is another one, and none of what somebody else wrote.
 */
export function readSealedRows(
  text: string | undefined,
  seal: Seal | undefined,
  head: string,
): ReadonlyMap<string, string> {
  const [first, ...rows] = (text && unsealText(text, seal))?.split("\n") ?? [];
  if (first !== head) return new Map();
  return new Map(rows.map((row) => [row.slice(0, row.indexOf("\t")), row]));
}

/** What {@link readSealedRows} reads. Undefined: there is no seal. */
export function sealRows(
  head: string,
  rows: readonly string[],
  seal: Seal | undefined,
): string | undefined {
  return sealText([head, ...rows].join("\n"), seal);
}

/** Of rows that were read, the first ones that are not used, up to so many characters. */
export function unusedRows(
  rows: ReadonlyMap<string, string>,
  isUsed: (name: string) => boolean,
  maxLength: number,
): readonly string[] {
  const unused: string[] = [];
  let length = 0;
  for (const [name, row] of rows) {
    if (isUsed(name)) continue;
    length += row.length;
    if (length > maxLength) break;
    unused.push(row);
  }
  return unused;
}
