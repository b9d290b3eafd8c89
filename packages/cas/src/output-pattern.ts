import { CuenvError } from "@cuenv/errors";
import { picomatchGlob } from "./picomatch-glob.ts";

/** What one declared output names, relative to the workspace root. */
export interface OutputPattern {
  /** As it was declared. */
  readonly source: string;
  /** The folders before the first wildcard, `/`-separated; for a plain name all of it. */
  readonly base: string;
  /** Matches paths relative to `base`; undefined: `base` itself, with everything below it. */
  readonly matches: ((path: string) => boolean) | undefined;
  /** How many levels below `base` a match can lie at the most. */
  readonly maxDepth: number;
  /** Whether `base` lies below the project folder (or beside it), so that all of what matches is the task's own. */
  readonly owned: boolean;
}

export interface OutputPatterns {
  readonly includes: readonly OutputPattern[];
  readonly excludes: readonly OutputPattern[];
}

/** Longer patterns, and more wildcards in one segment, are refused: matching them can take exponential time (measured: 9 stars hang picomatch 4). */
const maxPatternLength = 1024;
const maxWildcardsPerSegment = 4;

const wildcards = /[*?[\]{}\\]/;

/**
 * Compiles declared outputs: names of files and folders, globs (`*`, `?`, `[a-z]`, `{a,b}`, `**`; a leading dot is nothing special),
 * `!` for exceptions wherever they stand, `//` for the workspace root. A folder, and a folder that a glob matches, is the whole tree below it.
 * The glob engine is loaded only for patterns that need one: `dist`, `dist/**` and `dist/**` + `/*` do not.
 * @throws {CuenvError} CAS_OUTPUT_INVALID
 */
export async function compileOutputs(
  projectDirectory: string,
  outputs: readonly string[],
): Promise<OutputPatterns> {
  const includes: OutputPattern[] = [];
  const excludes: OutputPattern[] = [];
  for (const source of outputs) {
    const isException = source.startsWith("!");
    const pattern = await compile(projectDirectory, source, isException ? source.slice(1) : source);
    if (!isException) assertOwnable(projectDirectory, pattern);
    (isException ? excludes : includes).push(pattern);
  }
  return { includes, excludes };
}

function invalid(source: string, reason: string): CuenvError {
  return new CuenvError(
    "CAS_OUTPUT_INVALID",
    `cannot use output ${JSON.stringify(source)}: ${reason}`,
    {
      hint: "Outputs are files, folders or globs below the project's folder, or below the workspace root with `//`.",
    },
  );
}

async function compile(project: string, source: string, text: string): Promise<OutputPattern> {
  if (text.length > maxPatternLength) throw invalid(source, "the pattern is too long");
  if (text.includes("\0")) throw invalid(source, "it contains a NUL");
  const atRoot = text.startsWith("//");
  if (!atRoot && text.startsWith("/")) throw invalid(source, "it is an absolute path");
  const segments = text.split("/").filter((segment) => segment !== "" && segment !== ".");
  const first = segments.findIndex((segment) => wildcards.test(segment));
  const literal = first < 0 ? segments : segments.slice(0, first);
  const rest = first < 0 ? [] : segments.slice(first);
  if (rest.includes("..")) throw invalid(source, "it has a `..` after a wildcard");
  const base = resolveBase(atRoot ? "" : project, literal);
  if (base === undefined) throw invalid(source, "it lies outside the workspace");
  const whole = rest.length === 0 || /^(\*\*\/)*\*\*(\/\*)?$/.test(rest.join("/"));
  return {
    source,
    base,
    matches: whole ? undefined : await globMatcher(source, rest),
    maxDepth: rest.includes("**") ? Number.POSITIVE_INFINITY : rest.length,
    owned: base !== "" && !isAtOrAbove(base, project),
  };
}

function assertOwnable(project: string, pattern: OutputPattern): void {
  if (pattern.matches === undefined && !pattern.owned) {
    throw invalid(
      pattern.source,
      `it is the whole folder of the project${project === "" ? "" : ` (${project})`}`,
    );
  }
}

function isAtOrAbove(path: string, other: string): boolean {
  return path === "" || path === other || other.startsWith(`${path}/`);
}

function resolveBase(from: string, segments: readonly string[]): string | undefined {
  const resolved = from === "" ? [] : from.split("/");
  for (const segment of segments) {
    if (segment !== "..") resolved.push(segment);
    else if (resolved.pop() === undefined) return undefined;
  }
  return resolved.join("/");
}

async function globMatcher(
  source: string,
  segments: readonly string[],
): Promise<(path: string) => boolean> {
  for (const segment of segments) {
    if (segment.includes("**") && segment !== "**")
      throw invalid(source, "`**` must stand alone between slashes");
    if ((segment.match(/[*?]/g) ?? []).length > maxWildcardsPerSegment && segment !== "**") {
      throw invalid(source, `a part of it has more than ${maxWildcardsPerSegment} wildcards`);
    }
  }
  const { default: picomatch } = await import("picomatch");
  return picomatch(picomatchGlob(segments.join("/")), {
    dot: true,
    noextglob: true,
    nonegate: true,
    posixSlashes: true,
    literalBrackets: false,
    // A dot of its own is any character, a line feed too.
    flags: "s",
  });
}

/** Whether `path` is covered by the pattern, by itself or through a folder above it. */
export function coversPath(pattern: OutputPattern, path: string): boolean {
  if (path === pattern.base) return pattern.matches === undefined;
  const below = pattern.base === "" ? path : path.slice(pattern.base.length + 1);
  if (pattern.base !== "" && !path.startsWith(`${pattern.base}/`)) return false;
  const { matches } = pattern;
  if (matches === undefined) return true;
  for (let end = below.indexOf("/"); end >= 0; end = below.indexOf("/", end + 1)) {
    if (matches(below.slice(0, end))) return true;
  }
  return matches(below);
}

/** Whether `path` is one of the outputs. */
export function isOutput(patterns: OutputPatterns, path: string): boolean {
  return (
    patterns.includes.some((pattern) => coversPath(pattern, path)) &&
    !patterns.excludes.some((pattern) => coversPath(pattern, path))
  );
}

/** Whether all that can be in a folder is output: then nobody else's file is taken away with it. */
export function isWholeOutput(patterns: OutputPatterns, path: string): boolean {
  const isApart = ({ base }: OutputPattern): boolean =>
    !isAtOrAbove(base, path) && !isAtOrAbove(path, base);
  return isOutput(patterns, path) && patterns.excludes.every(isApart);
}
