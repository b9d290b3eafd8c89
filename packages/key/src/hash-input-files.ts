import type { FileIndex } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import type { InputNode } from "./key-inputs.ts";
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

/** One of {@link hashInputFiles}. */
export function hashInputFile(index: FileIndex, path: string): InputNode | undefined {
  const stat = index.stat(path);
  if (stat?.kind === "file") {
    const digest = readOr(path, () => index.digest(path));
    return { kind: "file", path, digest, executable: stat.executable };
  }
  if (stat?.kind !== "symlink") return undefined;
  const target = readOr(path, () => index.readLink(path));
  return { kind: "symlink", path, target: portableLinkTarget(index.root, path, target) };
}

function readOr<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CuenvError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CuenvError("KEY_INPUT_UNREADABLE", `cannot hash ${path}: ${reason}`, {
      cause: error,
      hint: "Make the file readable, or leave it out with ignoreInputs.",
    });
  }
}
