/** A pattern of `inputs` or `outputs`, normalised. */
export interface PathPattern {
  readonly negated: boolean;
  /**
   * Relative to the project's folder, or `//…` where it is outside of that; `.` is the project's folder and `//` the
   * workspace root. No `!`; a slash at the end, which says "folders only", stays.
   */
  readonly path: string;
  /** The same, relative to the workspace root. */
  readonly segments: readonly string[];
}

export type PatternResult =
  | { readonly ok: true; readonly pattern: PathPattern }
  | { readonly ok: false; readonly outside: boolean; readonly reason: string };

const longestPattern = 4096;

/** Whether a segment can stand for more than one name. */
export function isMagic(segment: string): boolean {
  return /[*?[\]{}\\]|[!+@]\(/.test(segment);
}

/** The segments before the first that can stand for more than one name. */
export function literalBase(segments: readonly string[]): readonly string[] {
  const magic = segments.findIndex(isMagic);
  return magic === -1 ? segments : segments.slice(0, magic);
}

/** `projectDirectory` is relative to the workspace root, "" for the root itself. */
export function parsePathPattern(text: string, projectDirectory: string): PatternResult {
  const negated = text.startsWith("!");
  const body = negated ? text.slice(1) : text;
  const syntax = syntaxProblem(body);
  if (syntax !== undefined) return { ok: false, outside: false, reason: syntax };
  const rooted = body.startsWith("//");
  if (!rooted && (body.startsWith("/") || /^[A-Za-z]:[\\/]/.test(body)))
    return { ok: false, outside: true, reason: "is an absolute path" };
  const project = splitPath(projectDirectory);
  const segments = rooted ? [] : [...project];
  for (const segment of splitPath(body)) {
    if (segment !== "..") {
      segments.push(segment);
      continue;
    }
    const left = segments.pop();
    if (left === undefined)
      return { ok: false, outside: true, reason: "leads out of the workspace" };
    if (isMagic(left)) return { ok: false, outside: false, reason: "has `..` after a wildcard" };
  }
  const path = shownPath(segments, project);
  const slash = /[^/]\/+$/.test(body) && path !== "." && path !== "//" ? "/" : "";
  return { ok: true, pattern: { negated, segments, path: path + slash } };
}

/** The text that `parsePathPattern` reads back to the same pattern. */
export function patternText({ negated, path }: PathPattern): string {
  return negated ? `!${path}` : path;
}

/** Segments of a path, `.` and empty ones left out. */
export function splitPath(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "" && segment !== ".");
}

export function startsWithSegments(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length <= path.length && prefix.every((segment, index) => segment === path[index]);
}

function shownPath(segments: readonly string[], project: readonly string[]): string {
  if (!startsWithSegments(segments, project)) return `//${segments.join("/")}`;
  return segments.slice(project.length).join("/") || ".";
}

function syntaxProblem(body: string): string | undefined {
  if (body.trim() === "") return "is empty";
  if (body.length > longestPattern) return `is longer than ${longestPattern} characters`;
  if (body.includes("\0")) return "contains a NUL byte";
  if (body.startsWith("!")) return "begins with two exclamation marks";
  // A `..` beside a brace or comma escapes the check below: it is no segment of its own.
  if (/[{,]\.\.(?:[/,}]|$)|(?:^|[/{,])\.\.[,}]/.test(body)) return "has `..` within braces";
  return undefined;
}
