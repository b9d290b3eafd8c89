import type { DraftNote } from "./draft.ts";
import type { JsonObject } from "./json-file.ts";
import type { PackageFiles } from "./package-files.ts";

/** The current project within an Nx workspace. */
export interface NxProject {
  readonly files: PackageFiles;
  /** The project's folder, from Nx's root: `libs/ui`, or "" for the root itself. */
  readonly path: string;
  /** Nx's root, from cuenv's workspace root: mostly "". */
  readonly top: string;
  readonly name: string | undefined;
  readonly rootFile: JsonObject;
  readonly namedInputs: JsonObject;
  readonly notes: DraftNote[];
}

/** `{projectRoot}`, `{workspaceRoot}` and `{projectName}` where they stand in a command. */
export function filledTokens({ path, name }: NxProject, text: string): string {
  return text
    .replaceAll("{projectRoot}", path === "" ? "." : path)
    .replaceAll("{workspaceRoot}", ".")
    .replaceAll("{projectName}", name ?? "");
}

/**
 * A path or glob of Nx's as one of cuenv's: relative to the project, or `//` from the workspace's root. Without a token it is from Nx's
 * root. Undefined: it leads out, or has a token that is not known.
 */
export function nxPath(project: NxProject, text: string): string | undefined {
  const negated = text.startsWith("!");
  const filled = (negated ? text.slice(1) : text)
    .replaceAll("{projectName}", project.name ?? "")
    // In the middle it is the project's path from the root.
    .replaceAll(/(?<!^)\{projectRoot\}/g, project.path)
    .replace(/^\{workspaceRoot\}\/?/, "//")
    .replace(/^\{projectRoot\}\/?/, "./");
  if (
    /\{(?:projectRoot|workspaceRoot|options\.)/.test(filled) ||
    /(?:^|\/)\.\.(?:\/|$)/.test(filled)
  )
    return undefined;
  const path = placed(project, filled);
  return negated ? `!${path}` : path;
}

function placed({ path, top }: NxProject, text: string): string {
  if (text.startsWith("./")) return text === "./" ? "." : text.slice(2);
  const fromRoot = text.replace(/^\/+/, "");
  if (path !== "" && fromRoot === path) return ".";
  if (path !== "" && fromRoot.startsWith(`${path}/`)) return fromRoot.slice(path.length + 1);
  if (path === "" && top === "") return fromRoot === "" ? "." : fromRoot;
  return `//${top === "" ? "" : `${top}/`}${fromRoot}`;
}
