import { posix } from "node:path";
import { patternAlternatives } from "@cuenv/key";
import type { PackagePlace, SyncPackage } from "./sync-workspace.ts";

/** A pattern of env.cue from turbo's root, with `.` for the root itself; undefined: it lies outside. */
export function placedPattern(
  owner: Pick<SyncPackage, "path" | "cuenvRoot" | "rootInCuenv">,
  pattern: string,
): string | undefined {
  const placed = pattern.startsWith("//")
    ? fromTop(owner, pattern.slice(2))
    : posix.join(owner.path, pattern);
  const bare = placed.replace(/\/+$/, "") || ".";
  return bare === ".." || bare.startsWith("../") || bare.startsWith("/") ? undefined : bare;
}

function fromTop(
  { cuenvRoot, rootInCuenv }: Pick<SyncPackage, "cuenvRoot" | "rootInCuenv">,
  path: string,
): string {
  if (rootInCuenv === "") return posix.join(cuenvRoot, path);
  const placed = posix.normalize(path);
  if (placed === rootInCuenv) return ".";
  return placed.startsWith(`${rootInCuenv}/`) ? placed.slice(rootInCuenv.length + 1) : "..";
}

/** As turbo.json of a package says it. */
export function turboPattern({ path }: Pick<PackagePlace, "path">, placed: string): string {
  if (path === "") return placed === "." ? "**" : literal(placed);
  if (placed.startsWith(`${path}/`)) return literal(placed.slice(path.length + 1));
  return placed === "." ? "$TURBO_ROOT$/**" : `$TURBO_ROOT$/${literal(placed)}`;
}

/**
 * Characters that are part of a name to cuenv (`app/(shop)`), and of a glob to turbo: of one such pattern it says that it is broken, and runs nothing. Braces are a
 * glob's where there is a comma between them; a colon turbo mends itself, and is not to be in brackets.
 */
function literal(placed: string): string {
  let depth = 0;
  return placed.replaceAll(/\{[^{},]*\}|[{}()<>$,]/g, (part) => {
    if (part.length > 1) return `[{]${literal(part.slice(1, -1))}[}]`;
    if (part === "{") depth += 1;
    if (part === "}") depth -= 1;
    const isGlob = "{}".includes(part) || (part === "," && depth > 0);
    return isGlob ? part : `[${part}]`;
  });
}

/**
 * Whether the last part of a pattern may be a folder's name to cuenv, which counts with all that is in it, and is a glob to turbo, which is files only: a name with
 * odd characters, one of several between braces, or any name behind a glob (`src/{a,b}/gen`).
 */
export function isNameToCuenvOnly(pattern: string): boolean {
  if (/\{[^}]*\//.test(pattern)) return true;
  const segments = pattern.replace(/\/+$/, "").split("/");
  const last = segments.pop() ?? "";
  // With a slash at its end it is folders only; turbo takes a name without wildcards for one by itself.
  if (pattern.endsWith("/") && /[*?]/.test(last)) return last !== "**";
  const outside = last.replaceAll(/\{[^{}]*\}/g, "");
  return !/[*?]/.test(outside) && (outside !== last || [last, ...segments].some(isGlobToTurbo));
}

function isGlobToTurbo(segment: string): boolean {
  return /[*?{[()<>$:,]/.test(segment);
}

/** The folder or file before the first wildcard; "." for the root. */
export function baseOf(placed: string): string {
  const segments = placed.split("/");
  const wild = segments.findIndex((segment) => hasWildcard(segment));
  return (wild < 0 ? segments : segments.slice(0, wild)).join("/") || ".";
}

export function hasWildcard(text: string): boolean {
  return /[*?[{]/.test(text);
}

export function isWithin(path: string, folder: string): boolean {
  return folder === "." || folder === "" || path === folder || path.startsWith(`${folder}/`);
}

/** False where no path can match both. */
export function mayMeet(left: string, right: string): boolean {
  const [first, second] = [baseOf(left), baseOf(right)];
  return isWithin(first, second) || isWithin(second, first);
}

/**
 * Patterns that together are the one given, and that turbo can read: over an alternative that is empty or has a slash at one of its ends (`index{,.d}.ts`), and over three stars, it refuses all of
 * turbo.json.
 * @throws {CuenvError} KEY_GLOB_INVALID
 */
export function sayable(pattern: string): readonly string[] {
  const plain = pattern.replaceAll(/\*{3,}/g, "*");
  const alternatives = patternAlternatives(plain);
  return /[{,][,}/]|\/[,}]/.test(plain) ? alternatives : [plain];
}

/** A class of characters is one to turbo always; to cuenv it may be part of a name (`[slug].ts`). */
export function widened(pattern: string): string {
  return pattern.replaceAll(/\[(?:\[:\w+:\]|[^\]])*\]/g, "*");
}
