import type { Digest, DirectoryEntry, FileIndex } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { lstatSync } from "node:fs";
import type { InputNode } from "./key-inputs.ts";
import { inputUnreadable } from "./input-unreadable.ts";
import { portableLinkTarget } from "./resolve-path.ts";

/**
 * The nodes of the given files and links as they are on disk, in the order given. What is not there any more, or
 * is no file and no link, gives no node: it counts as absent.
 *
 * @param paths relative to the workspace root
 * @throws {CuenvError} KEY_INPUT_UNREADABLE when a file cannot be read; DIGEST_FILE_CHANGED when it kept changing
 */
export function hashInputFiles(options: {
  readonly index: FileIndex;
  readonly paths: readonly string[];
}): InputNode[] {
  const { index, paths } = options;
  return paths.map((path) => hashInputFile(index, path)).filter((node) => node !== undefined);
}

function hashInputFile(index: FileIndex, path: string): InputNode | undefined {
  const stat = index.stat(path);
  if (stat?.kind === "file") {
    return { kind: "file", path, digest: digestOfInput(index, path), executable: stat.executable };
  }
  if (stat === undefined) assertReachable(index, path);
  if (stat?.kind !== "symlink") return undefined;
  return { kind: "symlink", path, target: targetOfInput(index, path) };
}

/**
 * Of a file that was listed and is not found. It may be gone, and counts as absent then. But a name that is not UTF-8 comes out of a listing with U+FFFD in it, and names
 * nothing; and what lies so deep that its path is too long, a task may reach step by step. Leaving those out would be a key that does not see them change.
 * @throws {CuenvError} KEY_INPUT_UNREADABLE
 */
export function assertReachable(index: FileIndex, path: string): void {
  if (path.includes("\uFFFD"))
    throw new CuenvError(
      "KEY_INPUT_UNREADABLE",
      `cannot hash ${JSON.stringify(path)}: its name is not valid UTF-8`,
      { hint: "Rename the file, or leave it out with ignoreInputs." },
    );
  if (isPathTooLong(`${index.root}/${path}`))
    throw new CuenvError("KEY_INPUT_UNREADABLE", `cannot hash ${path}: its path is too long`, {
      hint: "Give its folders shorter names, or leave it out with ignoreInputs.",
    });
}

/** The system is asked: its limit is another one on each. */
function isPathTooLong(path: string): boolean {
  try {
    lstatSync(path, { throwIfNoEntry: false });
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENAMETOOLONG";
  }
}

/**
 * The names in a folder that may hold inputs. One that cannot be listed has files in it that a task may find by their names.
 * @throws {CuenvError} KEY_INPUT_UNREADABLE
 */
export function listInputs(index: FileIndex, path: string): readonly DirectoryEntry[] {
  try {
    return index.list(path);
  } catch (error) {
    throw inputUnreadable(path, error, "list");
  }
}

/** The digest of a file that is an input. Throws as {@link hashInputFiles}. */
export function digestOfInput(index: FileIndex, path: string): Digest {
  try {
    return index.digest(path);
  } catch (error) {
    throw inputUnreadable(path, error);
  }
}

/** The text of a link that is an input, the same in every checkout. Throws as {@link hashInputFiles}. */
export function targetOfInput(index: FileIndex, path: string): string {
  try {
    return portableLinkTarget(index.root, path, index.readLink(path));
  } catch (error) {
    throw inputUnreadable(path, error);
  }
}
