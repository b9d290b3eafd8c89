import { type BigIntStats, fstatSync, statSync } from "node:fs";
import { join } from "node:path";
import type { WatchedInputs } from "@cuenv/cache/watch";

/** Standard output and standard error. */
const outputs: readonly number[] = [1, 2];

/**
 * A look that passes over the files that we write to ourselves (`cuenv task test --watch > log.txt`): every line of ours would be a change to run again for.
 * @param root absolute, of the workspace
 */
export function withoutOwnOutput(
  look: () => WatchedInputs,
  root: string,
  descriptors: readonly number[] = outputs,
): () => WatchedInputs {
  const identities = new Set(descriptors.flatMap(fileIdentity));
  if (identities.size === 0) return look;
  const isOwn = new Map<string, boolean>();
  return () => {
    const inputs = look();
    const files = [...inputs.files].filter(([path]) => {
      const known = isOwn.get(path) ?? identities.has(identityAt(join(root, path)));
      isOwn.set(path, known);
      return !known;
    });
    return { ...inputs, files: new Map(files) };
  };
}

/** None for a terminal or a pipe. */
function fileIdentity(descriptor: number): readonly string[] {
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    return stats.isFile() ? [identityOf(stats)] : [];
  } catch {
    return []; // closed
  }
}

/** Empty for what leads nowhere, and for a link that leads in a circle or to where we may not look: an input it is all the same. */
function identityAt(path: string): string {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? "" : identityOf(stats);
  } catch {
    return "";
  }
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
