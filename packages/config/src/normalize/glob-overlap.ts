import { isMagic } from "./path-pattern.ts";

const maximumAlternatives = 64;

/**
 * Whether some path can belong to both patterns (segments, relative to the workspace root), where a pattern owns the
 * whole tree below each path that it matches. Never says no when there is such a path; says yes without one only for
 * what it does not look into: character classes count as any character, extended globs as any text.
 */
export function patternsOverlap(left: readonly string[], right: readonly string[]): boolean {
  if (!left.some(isMagic) && !right.some(isMagic)) {
    const [short, long] = left.length <= right.length ? [left, right] : [right, left];
    return short.every((segment, index) => folded(segment) === folded(long[index] ?? ""));
  }
  const others = expandBraces(right.join("/")).map(treeOf);
  return expandBraces(left.join("/")).some((one) =>
    others.some((other) => segmentsOverlap(treeOf(one), other)),
  );
}

/**
 * Whether a pattern owns a path: matches it, or a folder that it is in. Never says yes to one that it does not own, letter case
 * aside; says no to patterns with braces, character classes or extended globs.
 */
export function ownsPath(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.some((segment) => /[[\]{}\\]|[!?*+@]\(/.test(segment))) return false;
  return segmentsOverlap(path, treeOf(pattern.join("/")));
}

function treeOf(pattern: string): readonly string[] {
  return [...pattern.split("/").filter((segment) => segment !== ""), "**"];
}

/** Both lists are walked at once; `reachable[j]` says that the first i and j segments can match the same path. */
function segmentsOverlap(left: readonly string[], right: readonly string[]): boolean {
  return walkBoth(
    left,
    right,
    (segment) => segment === "**",
    (one, other) => namesOverlap(one, other),
  );
}

type Token = { readonly kind: "any" | "star" } | { readonly kind: "text"; readonly text: string };

function namesOverlap(left: string, right: string): boolean {
  return walkBoth(
    tokensOf(left),
    tokensOf(right),
    (token) => token.kind === "star",
    (one, other) => one.kind !== "text" || other.kind !== "text" || one.text === other.text,
  );
}

/** Whether two sequences with items that repeat anything have a common match: O(left × right). */
function walkBoth<Item>(
  left: readonly Item[],
  right: readonly Item[],
  repeats: (item: Item) => boolean,
  meet: (one: Item, other: Item) => boolean,
): boolean {
  let row = Array.from(right, () => false);
  for (let i = 0; i <= left.length; i += 1) {
    const before = i === 0 ? undefined : left[i - 1];
    const current: boolean[] = [];
    for (let j = 0; j <= right.length; j += 1) {
      const beside = j === 0 ? undefined : right[j - 1];
      let reached = i === 0 && j === 0;
      if (before !== undefined && repeats(before)) reached ||= row[j] === true;
      if (beside !== undefined && repeats(beside)) reached ||= current[j - 1] === true;
      if (before !== undefined && beside !== undefined) {
        if (repeats(before)) reached ||= current[j - 1] === true;
        if (repeats(beside)) reached ||= row[j] === true;
        if (!repeats(before) && !repeats(beside))
          reached ||= row[j - 1] === true && meet(before, beside);
      }
      current[j] = reached;
    }
    row = current;
  }
  return row[right.length] === true;
}

function tokensOf(segment: string): readonly Token[] {
  if (/[!?*+@]\(/.test(segment)) return [{ kind: "star" }];
  const tokens: Token[] = [];
  const part = /\\(.)|\*+|\?|\[[^\]]+\]|(.)/gsu;
  for (const match of folded(segment).matchAll(part)) {
    const [all, escaped, plain] = match;
    const text = escaped ?? plain;
    if (text !== undefined) tokens.push({ kind: "text", text });
    else tokens.push({ kind: all.startsWith("*") ? "star" : "any" });
  }
  return tokens;
}

/** As file systems that ignore case or compose letters compare names: what collides there overlaps. */
function folded(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

/** All alternatives of `{a,b}` groups; a range, a group without comma, or too many of them count as any text. */
export function expandBraces(pattern: string): readonly string[] {
  let open = [pattern];
  const done: string[] = [];
  while (open.length > 0) {
    if (open.length + done.length > maximumAlternatives) return [withoutBraces(pattern)];
    const next: string[] = [];
    for (const text of open) {
      // An innermost group: no braces inside.
      const match = /(?<!\\)\{([^{}]*)\}/.exec(text);
      if (match === null) {
        done.push(text);
        continue;
      }
      const body = match[1] ?? "";
      const head = text.slice(0, match.index);
      const tail = text.slice(match.index + match[0].length);
      const parts = body.includes(",") ? body.split(",") : ["*"];
      for (const alternative of parts) next.push(`${head}${alternative}${tail}`);
    }
    open = next;
  }
  return done;
}

function withoutBraces(pattern: string): string {
  const start = pattern.slice(0, pattern.indexOf("{"));
  return `${start.slice(0, start.lastIndexOf("/") + 1)}**`;
}
