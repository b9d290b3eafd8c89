import { isInPlace } from "@cuenv/cas";
import type { FileIndex } from "@cuenv/digest";
import { hashInputFiles, type InputNode } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import type { ComputedKey } from "./compute-key.ts";

/**
 * Whether all that the key is made of is now what the key says, looked at anew; else the path of a file that is not. A result of other files must not be stored
 * under it. For files of the task, new ones that its patterns match count, too.
 *
 * The outputs of dependencies entered the key as their results have them, and the task read them from the disk: another run of cuenv, which made them anew of newer
 * sources, or somebody who edits them, changes what it made without any file of its own being changed. More of them than the results have does not count, as in the key.
 *
 * What is as it was counts as unchanged, whatever happened in between; of that knows rewritten-inputs.ts.
 */
export function changedInput(engine: CacheEngine, key: ComputedKey): string | undefined {
  if (key.selection === undefined) return undefined;
  const { index } = engine;
  const now = hashInputFiles({ index, paths: engine.select(key.selection).files });
  const before = new Map(key.inputs.ownNodes().map((node) => [node.path, identity(node)]));
  for (const node of now) {
    if (before.get(node.path) !== identity(node)) return node.path;
    before.delete(node.path);
  }
  const gone = before.keys().next();
  return gone.done === true ? changedDependencyOutput(index, key) : gone.value;
}

export function changedText(path: string): string {
  return `its input ${path} changed while it ran`;
}

function changedDependencyOutput(index: FileIndex, { inputs }: ComputedKey): string | undefined {
  const producers = inputs.producers();
  const made = inputs.nodes().filter(({ path }) => Object.hasOwn(producers, path));
  return made.find((node) => !isInPlace(index, node))?.path;
}

function identity(node: InputNode): string {
  switch (node.kind) {
    case "file":
      return `${node.digest.hash}/${node.digest.sizeBytes}/${node.executable}`;
    case "symlink":
      return `-> ${node.target}`;
    case "directory":
      return "directory";
  }
}
