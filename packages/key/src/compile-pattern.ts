import { compareUtf8 } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { expandBraces, GlobSyntaxError } from "./expand-braces.ts";
import { compileSegment, hasWildcard, type SegmentMatcher } from "./glob-segment.ts";
import { resolveSegments } from "./normalize-working-directory.ts";

export type PatternSegment =
  | { readonly kind: "literal"; readonly name: string }
  | { readonly kind: "wildcard"; readonly matches: SegmentMatcher }
  /** `**`: any number of directories, none included; at the end, everything below. */
  | { readonly kind: "globstar" };

/** One alternative of a pattern, from the workspace root. */
export interface Pattern {
  /** As it was written, for messages. */
  readonly source: string;
  readonly segments: readonly PatternSegment[];
  /** How many segments come before the first wildcard. All of them: the pattern names one path. */
  readonly baseLength: number;
  /** The path that those segments name. */
  readonly base: string;
  /** A directory that it matches counts with everything below: its last segment has no `*` or `?`, or a slash behind it. */
  readonly recursive: boolean;
  /** Written with a slash at the end: matches no file. */
  readonly directoryOnly: boolean;
}

/** A list of patterns: what one of `include` and none of `exclude` matches. */
export interface PatternSet {
  readonly include: readonly Pattern[];
  readonly exclude: readonly Pattern[];
}

/** Longer patterns are refused; the longest that we met in the wild has 180 characters. */
export const maxPatternLength = 2_048;
/** After braces are expanded, all lists of one task together. */
export const maxPatterns = 10_000;

/**
 * Compiles a list of patterns as a task writes them: relative to the project's folder, `//` at the start for
 * the workspace root, `!` in front for what is left out again. Left out wins, wherever it stands in the list.
 *
 * @throws {CuenvError} KEY_GLOB_INVALID
 */
export function compilePatterns(patterns: readonly string[], projectDirectory: string): PatternSet {
  return compileList(patterns, projectDirectory, false);
}

/**
 * Compiles declared outputs: as {@link compilePatterns}, but every folder that a pattern matches counts with everything
 * below it, which is what capture takes (`outputs: ["gen*"]` holds the folder `generated`).
 *
 * @throws {CuenvError} KEY_GLOB_INVALID
 */
export function compileOutputPatterns(
  patterns: readonly string[],
  projectDirectory: string,
): PatternSet {
  return compileList(patterns, projectDirectory, true);
}

function compileList(
  patterns: readonly string[],
  projectDirectory: string,
  wholeFolders: boolean,
): PatternSet {
  const include: Pattern[] = [];
  const exclude: Pattern[] = [];
  const compile = (source: string, pattern: string): Pattern[] =>
    compileOne(source, pattern, projectDirectory).map((each) => ({
      ...each,
      recursive: each.recursive || wholeFolders,
    }));
  for (const source of patterns) {
    const negated = source.startsWith("!");
    const target = negated ? exclude : include;
    target.push(...compile(source, negated ? source.slice(1) : source));
    if (include.length + exclude.length > maxPatterns) {
      throw invalid(source, `the list has more than ${maxPatterns} patterns`);
    }
  }
  return { include, exclude };
}

function invalid(source: string, reason: string, hint?: string): CuenvError {
  const shown = source.length > 100 ? `${source.slice(0, 100)}…` : source;
  return new CuenvError(
    "KEY_GLOB_INVALID",
    `cannot use pattern ${JSON.stringify(shown)}: ${reason}`,
    hint === undefined ? {} : { hint },
  );
}

function compileOne(source: string, pattern: string, projectDirectory: string): Pattern[] {
  lint(source, pattern);
  return withSource(source, () =>
    expandBraces(pattern).map((alternative) =>
      compileAlternative(source, alternative, projectDirectory),
    ),
  );
}

/** The patterns that one with braces stands for. @throws {CuenvError} KEY_GLOB_INVALID */
export function patternAlternatives(pattern: string): readonly string[] {
  return withSource(pattern, () => expandBraces(pattern));
}

function withSource<Result>(source: string, step: () => Result): Result {
  try {
    return step();
  } catch (error) {
    if (error instanceof GlobSyntaxError) {
      const hint =
        "To name a file with such a character in it, write the character in brackets: [[] or [{].";
      throw invalid(source, error.message, hint);
    }
    throw error;
  }
}

function lint(source: string, pattern: string): void {
  if (pattern === "") throw invalid(source, "it is empty", 'Write "." for the whole folder.');
  if (pattern.length > maxPatternLength) {
    throw invalid(source, `it is longer than ${maxPatternLength} characters`);
  }
  if (pattern.includes("\0")) throw invalid(source, "it contains a NUL byte");
  if (!pattern.isWellFormed()) throw invalid(source, "it is not well-formed Unicode");
  if (pattern.includes("\\")) {
    throw invalid(
      source,
      "it contains a backslash",
      "Separate folders with /, and write a special character in brackets: [*].",
    );
  }
  if (pattern.startsWith("/") && !pattern.startsWith("//")) {
    throw invalid(
      source,
      "it is absolute",
      "Write // for the workspace root, or a path relative to the project's folder.",
    );
  }
  // `!(a)/**` leaves out a folder named (a); with a bar in it, it was meant as a glob.
  if (/[?*+@!]\(/.test(pattern) || /^!\([^)]*\|/.test(source)) {
    throw invalid(
      source,
      "extended globs as !(a|b) are not supported",
      "Write alternatives as {a,b}, and exceptions as a pattern of their own with ! in front.",
    );
  }
}

function compileAlternative(source: string, pattern: string, projectDirectory: string): Pattern {
  const path = pathSegments(source, pattern, projectDirectory);
  const segments: PatternSegment[] = [];
  for (const name of path) {
    const last = segments.at(-1);
    if (name !== "**") segments.push(compilePathSegment(name));
    else if (last?.kind !== "globstar") segments.push({ kind: "globstar" });
  }
  const firstWildcard = segments.findIndex((segment) => segment.kind !== "literal");
  const baseLength = firstWildcard < 0 ? segments.length : firstWildcard;
  const last = path.at(-1) ?? "";
  const directoryOnly = pattern.endsWith("/") && last !== "**";
  return {
    source,
    segments,
    baseLength,
    base: path.slice(0, baseLength).join("/"),
    recursive: directoryOnly || !/[*?]/.test(last),
    directoryOnly,
  };
}

function compilePathSegment(name: string): PatternSegment {
  if (!hasWildcard(name)) return { kind: "literal", name };
  const matches = compileSegment(name);
  if (matches === undefined) {
    throw new GlobSyntaxError("a class [ is not closed in its path segment, or is malformed");
  }
  // The exact spelling counts, too: `app/[slug]/page.tsx` is a common file name.
  return { kind: "wildcard", matches: (text) => text === name || matches(text) };
}

/** The segments of a pattern from the workspace root; `..` is resolved as text and must not follow a wildcard. */
function pathSegments(source: string, pattern: string, projectDirectory: string): string[] {
  const fromRoot = pattern.startsWith("//");
  const parts = pattern.split("/").filter((part) => part !== "" && part !== ".");
  const firstWildcard = parts.findIndex((part) => hasWildcard(part));
  if (firstWildcard >= 0 && parts.slice(firstWildcard).includes("..")) {
    throw invalid(source, ".. stands behind a wildcard");
  }
  const base = fromRoot ? [] : projectDirectory.split("/").filter((part) => part !== "");
  const resolved = resolveSegments(base, parts.join("/"));
  if (resolved === undefined) {
    throw invalid(
      source,
      "it leaves the workspace",
      "Inputs and outputs are files of the workspace; declare tools with `runtime`.",
    );
  }
  return resolved;
}

/** Most outputs are plain paths, and need no compilation: no wildcard, nothing to resolve. */
const plainPath = /^(?!\.)[A-Za-z0-9_@.-]+(?:\/(?!\.)[A-Za-z0-9_@.-]+)*$/;

/**
 * Patterns as keys and capture have them: from the workspace root, without doubled or trailing slashes, `!` kept in
 * front; sorted, each once. They are not expanded.
 * @throws {CuenvError} KEY_GLOB_INVALID
 */
export function resolvePatterns(patterns: readonly string[], projectDirectory: string): string[] {
  const base = projectDirectory === "" ? "" : `${projectDirectory}/`;
  const resolved = patterns.map((source) => {
    if (plainPath.test(source)) return base + source;
    const negated = source.startsWith("!");
    const pattern = negated ? source.slice(1) : source;
    compileOne(source, pattern, projectDirectory);
    const path = pathSegments(source, pattern, projectDirectory).join("/");
    return `${negated ? "!" : ""}${path}`;
  });
  return [...new Set(resolved)].toSorted(compareUtf8);
}
