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
  const nodes: InputNode[] = [];
  for (const path of paths) {
    const stat = index.stat(path);
    if (stat?.kind === "file") {
      const digest = readOr(path, () => index.digest(path));
      nodes.push({ kind: "file", path, digest, executable: stat.executable });
    } else if (stat?.kind === "symlink") {
      const target = readOr(path, () => index.readLink(path));
      nodes.push({ kind: "symlink", path, target: portableLinkTarget(index.root, path, target) });
    }
  }
  return nodes;
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
