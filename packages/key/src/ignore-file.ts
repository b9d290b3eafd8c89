import { compileSegment, type SegmentMatcher } from "./glob-segment.ts";

/** One line of a `.gitignore`. */
interface IgnoreRule {
  readonly negated: boolean;
  readonly directoryOnly: boolean;
  /** Undefined: the line has no slash in it, and `name` is compared with the last segment at any depth. */
  readonly segments: readonly (SegmentMatcher | "**")[] | undefined;
  readonly name: SegmentMatcher | undefined;
}

/** The rules of a `.gitignore`, in git's meaning (gitignore(5)), compared with real git by ignore-file.test.ts. */
export interface IgnoreFile {
  /** @param segments the path from the folder of the `.gitignore`; undefined when no line says anything about it */
  ignores(segments: readonly string[], isDirectory: boolean): boolean | undefined;
}

export function parseIgnoreFile(text: string): IgnoreFile {
  const rules: IgnoreRule[] = [];
  for (const line of text.replace(/^\u{FEFF}/u, "").split("\n")) {
    const rule = parseLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (rule !== undefined) rules.push(rule);
  }
  return {
    ignores: (segments, isDirectory) => {
      const rule = rules.findLast((each) => matchesRule(each, segments, isDirectory));
      return rule && !rule.negated;
    },
  };
}

/** Blanks at the end do not count, unless a backslash stands before them. */
function trimBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === " " && !isEscaped(line, end - 1)) end -= 1;
  return line.slice(0, end);
}

function isEscaped(line: string, at: number): boolean {
  let backslashes = 0;
  while (line[at - 1 - backslashes] === "\\") backslashes += 1;
  return backslashes % 2 === 1;
}

function parseLine(line: string): IgnoreRule | undefined {
  if (line.startsWith("#")) return undefined;
  let pattern = trimBlanks(line);
  const negated = pattern.startsWith("!");
  if (negated) pattern = pattern.slice(1);
  const directoryOnly = pattern.endsWith("/");
  if (directoryOnly) pattern = pattern.slice(0, -1);
  if (pattern === "") return undefined;
  if (!pattern.includes("/")) {
    const name = compileSegment(pattern);
    return name && { negated, directoryOnly, segments: undefined, name };
  }
  const segments: (SegmentMatcher | "**")[] = [];
  for (const segment of pattern.replace(/^\//, "").split("/")) {
    if (segment === "**" && segments.at(-1) === "**") continue;
    const compiled = segment === "**" ? segment : compileSegment(segment);
    // A malformed line matches nothing, as in git.
    if (compiled === undefined) return undefined;
    segments.push(compiled);
  }
  return { negated, directoryOnly, segments, name: undefined };
}

function matchesRule(rule: IgnoreRule, segments: readonly string[], isDirectory: boolean): boolean {
  if (rule.directoryOnly && !isDirectory) return false;
  if (rule.segments !== undefined) return matchSegments(rule.segments, segments);
  return rule.name?.(segments.at(-1) ?? "") === true;
}

/** As matching one segment, with `**` for the star and segments for characters: back to the last `**` only. */
function matchSegments(
  pattern: readonly (SegmentMatcher | "**")[],
  path: readonly string[],
): boolean {
  let at = 0;
  let position = 0;
  let starAt = -1;
  let starPosition = 0;
  while (position < path.length) {
    const current = pattern[at];
    if (current === "**") {
      // At the end it stands for everything below, so for one segment at least; there is one.
      if (at === pattern.length - 1) return true;
      starAt = at;
      starPosition = position;
      at += 1;
    } else if (current?.(path[position] ?? "") === true) {
      at += 1;
      position += 1;
    } else if (starAt >= 0) {
      starPosition += 1;
      position = starPosition;
      at = starAt + 1;
    } else {
      return false;
    }
  }
  return at === pattern.length;
}
