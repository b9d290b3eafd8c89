import { type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isSharedFolder } from "@cuenv/digest";
import type { EvaluationInput } from "./evaluation.ts";

/** The CUE module that a folder belongs to. */
export interface ModuleRoot {
  /** The nearest ancestor (or the folder itself) with a `cue.mod`, else the folder itself. */
  readonly root: string;
  /** False when there is no `cue.mod`: the folder stands alone. */
  readonly isModule: boolean;
  /** The places that were looked at. */
  readonly inputs: readonly EvaluationInput[];
}

/**
 * As the `cue` command does: whatever is named `cue.mod` marks the root. `directory` is absolute. Unlike it, this looks for none in a folder above that
 * everybody may write to: whoever puts a `cue.mod` and a file into /tmp would add to the packages of all who work below.
 */
export function findModuleRoot(directory: string): ModuleRoot {
  const inputs: EvaluationInput[] = [];
  for (let folder = directory; ; folder = dirname(folder)) {
    const path = join(folder, "cue.mod");
    const stats = statOrNothing(path);
    if (stats !== undefined) {
      inputs.push({ kind: "present", path, isDirectory: stats.isDirectory() });
      return { root: folder, isModule: true, inputs };
    }
    inputs.push({ kind: "missing", path });
    if (dirname(folder) === folder || isSharedFolder(dirname(folder)))
      return { root: directory, isModule: false, inputs };
  }
}

function statOrNothing(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // An ancestor that may not be searched has no module for us.
    return undefined;
  }
}
