import { CuenvError } from "@cuenv/errors";

/**
 * A path as keys write it: relative to the workspace root, `/`-separated, without `.`, `..`, doubled or trailing
 * slashes; "" is the root itself. So the same repository gives the same text wherever it is checked out. Purely
 * textual: a `..` behind a symbolic link goes where the text says.
 *
 * @param options.workspaceRoot absolute
 * @param options.projectDirectory relative to the workspace root; what a relative path starts from
 * @param options.workingDirectory absolute, or relative to the project's folder
 * @throws {CuenvError} KEY_PATH_INVALID when the path lies outside the workspace, or has a NUL byte
 */
export function normalizeWorkingDirectory(options: {
  readonly workspaceRoot: string;
  readonly projectDirectory: string;
  readonly workingDirectory: string;
}): string {
  const { workspaceRoot, projectDirectory, workingDirectory } = options;
  const plain = plainPath(workspaceRoot, projectDirectory, workingDirectory);
  if (plain !== undefined) return plain;
  if (workingDirectory.includes("\0")) {
    throw new CuenvError(
      "KEY_PATH_INVALID",
      `cannot use path ${JSON.stringify(workingDirectory)}: it contains a NUL byte`,
    );
  }
  const segments = isAbsolutePath(workingDirectory)
    ? segmentsInside(workspaceRoot, workingDirectory)
    : resolveSegments(resolveSegments([], projectDirectory) ?? [], workingDirectory);
  if (segments === undefined) {
    throw new CuenvError(
      "KEY_PATH_INVALID",
      `cannot use path ${JSON.stringify(workingDirectory)}: it is outside the workspace ${workspaceRoot}`,
      { hint: "Only folders and files below the workspace root can take part in a cached task." },
    );
  }
  return segments.join("/");
}

/** A name that has to be resolved, a doubled or trailing slash, or what Windows or nobody has in a path. */
const unusual = /(?:^|\/)\.{0,2}(?:\/|$)|[\\\0]/;

/** Nearly every path, without taking it apart; undefined for all that needs a closer look. */
function plainPath(root: string, project: string, path: string): string | undefined {
  if (isAbsolutePath(path)) {
    const inside = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : "";
    return unusual.test(inside) ? undefined : inside;
  }
  if (unusual.test(path) || (project !== "" && unusual.test(project))) return undefined;
  return project === "" ? path : `${project}/${path}`;
}

export function isAbsolutePath(path: string): boolean {
  return path.startsWith("/") || (process.platform === "win32" && /^[A-Za-z]:[\\/]/.test(path));
}

/** An absolute path from `root` on; undefined when it is not inside it. Both are text: links are not followed. */
export function segmentsInside(root: string, path: string): string[] | undefined {
  const absolute = resolveSegments([], path);
  const above = resolveSegments([], root);
  if (absolute === undefined || above === undefined) return undefined;
  const inside = above.every((segment, index) => absolute[index] === segment);
  return inside ? absolute.slice(above.length) : undefined;
}

/** `path` from `base`, segment by segment; undefined when it climbs above where `base` starts. */
export function resolveSegments(base: readonly string[], path: string): string[] | undefined {
  const segments = [...base];
  const separated = process.platform === "win32" ? path.replaceAll("\\", "/") : path;
  for (const segment of separated.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments;
}
