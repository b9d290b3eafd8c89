import { posix, relative, sep } from "node:path";

/** Where a project lies, for paths of Nx. */
export interface ProjectPlace {
  /** From Nx' workspace root, "." for the root itself. */
  readonly root: string;
  /** cuenv's workspace root, from Nx' one; undefined: it is not inside. */
  readonly cuenvRoot: string | undefined;
  /** Whether other projects lie below it: `{projectRoot}` leaves their files out, and `{workspaceRoot}` does not. */
  readonly hasNested: boolean;
}

export function projectPlace(
  workspaceRoot: string,
  project: { readonly directory: string; readonly workspaceRoot: string },
  hasNested: (root: string) => boolean,
): ProjectPlace {
  const root = fromRoot(workspaceRoot, project.directory) || ".";
  const cuenvRoot = fromRoot(workspaceRoot, project.workspaceRoot);
  const isInside = cuenvRoot !== ".." && !cuenvRoot.startsWith("../");
  return { root, cuenvRoot: isInside ? cuenvRoot : undefined, hasNested: hasNested(root) };
}

function fromRoot(root: string, path: string): string {
  return relative(root, path).split(sep).join("/");
}

/** What a pattern of cuenv's stands for in Nx; undefined: what lies outside of Nx' workspace. */
export function placedPattern(place: ProjectPlace, pattern: string): string | undefined {
  if (!pattern.startsWith("//")) return placedInProject(place, pattern);
  if (place.cuenvRoot === undefined) return undefined;
  return `{workspaceRoot}/${posix.join(place.cuenvRoot, pattern.slice(2) || ".")}`;
}

function placedInProject({ root, hasNested }: ProjectPlace, pattern: string): string {
  const path = posix.normalize(pattern);
  // From the project upwards: `..` is resolved by us, Nx would take it as it stands.
  if (path.startsWith("../") || hasNested || root === ".")
    return `{workspaceRoot}/${posix.join(root, path)}`;
  return path === "." || path === "./" ? "{projectRoot}" : `{projectRoot}/${path}`;
}

/**
 * Input patterns as filesets of Nx, which match at least what cuenv's do: too many files make a miss at worst. `undefined` among the result is a pattern
 * that lies outside of Nx' workspace.
 */
export function filesets(
  place: ProjectPlace,
  patterns: readonly string[],
): readonly (string | undefined)[] {
  const positive = patterns.filter((pattern) => !pattern.startsWith("!"));
  const negative = patterns.filter((pattern) => pattern.startsWith("!"));
  // A list that only leaves out starts from all files.
  const all = positive.length === 0 && negative.length > 0 ? ["."] : [];
  return [
    ...[...all, ...positive].flatMap((pattern) => includedFilesets(place, pattern)),
    ...negative.flatMap((pattern) => excludedFilesets(place, pattern.slice(1))),
  ];
}

/** Whether Nx would take a part of a path for a glob that is none to cuenv: it would then find nothing there, and say nothing. */
export function isGlobToNxOnly(path: string): boolean {
  return /[()[\]]|\{[^{},]*\}/.test(path);
}

export function includedFilesets(
  place: ProjectPlace,
  pattern: string,
): readonly (string | undefined)[] {
  // A class of characters may be one of those that Nx' globs do not know, or belong to the name itself (`[slug]`). Parentheses, and braces without a
  // comma, are part of a name to cuenv (`app/(shop)`), and of a glob to Nx.
  const wider = pattern
    .replaceAll(/\[(?:\[:\w+:\]|[^\]])*\]/g, "*")
    // One byte to Nx, and one character to cuenv. Two stars would be folders, too.
    .replaceAll(/[^/]*\?[^/]*/g, (part) => part.replaceAll("?", "*").replaceAll(/\*+/g, "*"))
    .replaceAll(/\{([^{},]*)\}/g, "?$1?")
    .replaceAll(/[()!]/g, "?");
  const placed = placedPattern(place, wider);
  if (placed === undefined) return [undefined];
  const isName = mayBeFolder(pattern) && !placed.endsWith("/");
  return [...new Set([...withFolder(placed), ...(isName ? [`${placed}/**/*`] : [])])];
}

/** Whether the last part of a pattern that looks like a glob to Nx may be a folder's name to cuenv: one that is itself, or one of several between braces. */
function mayBeFolder(pattern: string): boolean {
  if (/\{[^}]*\//.test(pattern)) return true;
  const last = pattern.replace(/\/+$/, "").split("/").at(-1) ?? "";
  const outside = last.replaceAll(/\{[^{}]*\}/g, "");
  return !/[*?]/.test(outside) && (outside !== last || /[[()!]/.test(outside));
}

/** Fewer than cuenv leaves out, where Nx cannot say the same. */
export function excludedFilesets(place: ProjectPlace, pattern: string): readonly string[] {
  const placed =
    isGlobToNxOnly(pattern) || /[!?]|\{[^}]*\//.test(pattern)
      ? undefined
      : placedPattern(place, pattern);
  return placed === undefined ? [] : withFolder(placed).map((each) => `!${each}`);
}

/** A name may be a file's or a folder's, which counts with everything below it; a last part with wildcards is files only. */
function withFolder(path: string): readonly string[] {
  if (path.endsWith("/")) return [`${path}**/*`];
  const last = path.slice(path.lastIndexOf("/") + 1);
  if (last === "**") return [`${path}/*`];
  if (last === "{projectRoot}" || last === "{workspaceRoot}" || last === ".")
    return [`${path.replace(/\/\.$/, "")}/**/*`];
  return /[*?]/.test(last) ? [path] : [path, `${path}/**/*`];
}
