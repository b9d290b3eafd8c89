import { CuenvError } from "@cuenv/errors";

/**
 * A path as keys write it: relative to the workspace root, `/`-separated, without `.`, `..`, doubled or trailing
 * slashes; "" is the root itself. So the same repository gives the same text wherever it is checked out.
 *
 * @param path absolute, or relative to `options.base`
 * @param options.root absolute path of the workspace root
 * @param options.base what a relative path starts from, relative to the root; default the root
 * @throws {CuenvError} KEY_PATH_INVALID when the path lies outside the root, or has a NUL byte
 */
export function normalizeWorkingDirectory(
  path: string,
  options: { readonly root: string; readonly base?: string },
): string {
  if (path.includes("\0")) {
    throw new CuenvError(
      "KEY_PATH_INVALID",
      `cannot use path ${JSON.stringify(path)}: it contains a NUL byte`,
    );
  }
  const relative = isAbsolute(path) ? stripRoot(path, options.root) : undefined;
  const segments =
    relative === undefined && !isAbsolute(path)
      ? resolveSegments(segmentsOf(options.base ?? ""), path)
      : relative;
  if (segments === undefined) {
    throw new CuenvError(
      "KEY_PATH_INVALID",
      `cannot use path ${JSON.stringify(path)}: it is outside the workspace ${options.root}`,
      { hint: "Only folders and files below the workspace root can take part in a cached task." },
    );
  }
  return segments.join("/");
}

function isAbsolute(path: string): boolean {
  return path.startsWith("/") || (process.platform === "win32" && /^[A-Za-z]:[\\/]/.test(path));
}

/** The non-empty parts between slashes; on Windows between backslashes, too. */
function segmentsOf(path: string): string[] {
  const separated = process.platform === "win32" ? path.replaceAll("\\", "/") : path;
  return separated.split("/").filter((segment) => segment !== "" && segment !== ".");
}

function stripRoot(path: string, root: string): string[] | undefined {
  const absolute = resolveSegments([], path);
  const above = resolveSegments([], root);
  if (absolute === undefined || above === undefined) return undefined;
  const inside = above.every((segment, index) => absolute[index] === segment);
  return inside ? absolute.slice(above.length) : undefined;
}

/**
 * `path` from `base`, segment by segment; undefined when it climbs above where `base` starts.
 * Purely textual: a `..` after a symbolic link goes where the text says.
 */
export function resolveSegments(base: readonly string[], path: string): string[] | undefined {
  const segments = [...base];
  for (const segment of segmentsOf(path)) {
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments;
}
