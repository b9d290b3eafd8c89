/** Replaces what is from `start` up to `end` (UTF-16 units). */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** @throws {RangeError} for edits that overlap: then it is not clear what is meant */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const sorted = edits.toSorted((left, right) => left.start - right.start || left.end - right.end);
  let result = "";
  let at = 0;
  for (const { start, end, text: replacement } of sorted) {
    if (start < at) throw new RangeError(`edits overlap at ${start}`);
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at);
}

/** The white space that the line of `offset` begins with. */
export function indentAt(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? "";
}

/** What a comment begins with. */
export type CommentMark = "//" | "#";

/** Whether only white space stands before `start` on its line, and at most a comma and a comment after `end` on its. */
export function hasOwnLines(text: string, start: number, end: number, mark: CommentMark): boolean {
  const before = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  return /^[ \t]*$/.test(before) && afterOnLine(text, end, mark) !== undefined;
}

/** The comment behind `end` on its line, "" for none; undefined when something else is there, too. */
function afterOnLine(text: string, end: number, mark: CommentMark): string | undefined {
  const next = text.indexOf("\n", end);
  const rest = text.slice(end, next === -1 ? text.length : next);
  const { comment } = /^[ \t]*,?[ \t]*(?<comment>\S.*?)?\s*$/.exec(rest)?.groups ?? {};
  if (comment === undefined) return "";
  return comment.startsWith(mark) ? comment : undefined;
}

/** One step further in than `indent`, as the file does it. */
export function deeper(text: string, indent: string): string {
  if (indent.includes("\t")) return `${indent}\t`;
  const spaces = /^( {1,8})\S/m.exec(text)?.[1];
  return indent === "" && spaces === undefined ? "\t" : `${indent}${spaces ?? "\t"}`;
}

/**
 * Takes a declaration out: with its lines, if they hold nothing else (a comment beside it stays, as a line of its own), else with
 * the comma that parts it from its neighbour.
 */
export function removal(text: string, start: number, end: number, mark: CommentMark): TextEdit {
  if (!hasOwnLines(text, start, end, mark)) {
    const after = /^\s*,[ \t]*/.exec(text.slice(end))?.[0];
    if (after !== undefined) return { start, end: end + after.length, text: "" };
    const before = /\s*,\s*$/.exec(text.slice(0, start))?.[0] ?? "";
    return { start: start - before.length, end, text: "" };
  }
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const next = text.indexOf("\n", end);
  const lineEnd = next === -1 ? text.length : next + 1;
  const comment = afterOnLine(text, end, mark) ?? "";
  // The last member of a JSON object has no comma after it; then the one before must go.
  const before = /,[ \t]*\r?\n[ \t]*$/.exec(text.slice(0, start));
  const isLast = !/^[ \t]*,/.test(text.slice(end)) && /^\s*\}/.test(text.slice(lineEnd));
  if (isLast && before !== null && comment === "")
    return { start: before.index, end: lineEnd, text: "\n" };
  const kept = comment === "" ? "" : `${text.slice(lineStart, start)}${comment}\n`;
  return { start: lineStart, end: lineEnd, text: kept };
}
