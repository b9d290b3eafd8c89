import { type FileIndex, hashText, readMemoFile, replaceFile } from "@cuenv/digest";
import type { InputNode } from "@cuenv/key";

/**
 * Inputs that were written while a task ran, and are what they were again: somebody edited one and took it back, or went to another branch and returned, and the
 * task may have read what was there in between. Its result must not be stored under the key of what is there now, although nothing shows.
 *
 * But some tasks write the same bytes into their own inputs, every time. One that is seen to have written just the same files in two runs one after the other is
 * taken for such a one: then only its first run is not stored.
 */
export interface RewrittenInputs {
  /** What the task's own files, and links, are before it runs. */
  versions(nodes: readonly InputNode[]): ReadonlyMap<string, string>;
  /**
   * The first of the files that are another version now, unless they are those of the run before. To be asked once for each run, for it
   * remembers what it finds.
   */
  unexpected(task: string, before: ReadonlyMap<string, string>): string | undefined;
}

/** 4 MiB: of forty thousand tasks. */
const maxBytes = 4 * 1024 * 1024;

/** `path`: of the file for what is remembered; undefined: nothing is. */
export function createRewrittenInputs(path: string | undefined, index: FileIndex): RewrittenInputs {
  return {
    versions: (nodes) =>
      new Map(
        nodes.flatMap((node) =>
          node.kind === "directory" ? [] : [[node.path, versionOf(index, node.path)]],
        ),
      ),
    unexpected(task, before) {
      const rewritten = [...before.keys()].filter(
        (file) => versionOf(index, file) !== before.get(file),
      );
      const remembered = read(path);
      const files = rewritten.length === 0 ? undefined : hashText("sha256", rewritten.join("\0"));
      if (files?.hash === remembered.get(task)) return undefined;
      if (files === undefined) remembered.delete(task);
      else remembered.set(task, files.hash);
      if (path !== undefined) replaceFile(path, JSON.stringify(Object.fromEntries(remembered)));
      return rewritten[0];
    },
  };
}

/** Not the ctime: a link to a file, or another mode, is not another content. */
function versionOf(index: FileIndex, path: string): string {
  const stat = index.stat(path);
  return stat === undefined ? "" : `${stat.mtimeMs}/${stat.inode}`;
}

/** By task, the hash of the paths: a generator may write thousands. */
function read(path: string | undefined): Map<string, string> {
  const text = path === undefined ? undefined : readMemoFile(path, maxBytes)?.toString();
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    if (typeof value !== "object" || value === null) return new Map();
    return new Map(Object.entries(value).filter(([, files]) => typeof files === "string"));
  } catch {
    return new Map();
  }
}
