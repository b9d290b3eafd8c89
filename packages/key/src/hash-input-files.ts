import type { Digest, DirectoryEntry, FileIndex } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
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
  if (stat === undefined) assertNameReadable(path);
  if (stat?.kind !== "symlink") return undefined;
  return { kind: "symlink", path, target: targetOfInput(index, path) };
}

/**
 * A name that is not UTF-8 comes out of a listing with U+FFFD in it, and names nothing then. Leaving the file out
 * would be a key that does not see it change.
 * @throws {CuenvError} KEY_INPUT_UNREADABLE
 */
export function assertNameReadable(path: string): void {
  if (!path.includes("\uFFFD")) return;
  throw new CuenvError(
    "KEY_INPUT_UNREADABLE",
    `cannot hash ${JSON.stringify(path)}: its name is not valid UTF-8`,
    { hint: "Rename the file, or leave it out with ignoreInputs." },
  );
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
