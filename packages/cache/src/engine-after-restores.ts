import type { RestoreChanges } from "@cuenv/cas";
import { selectInputs } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import { indexAfterRestores } from "./index-after-restores.ts";

/**
 * For who looks at the tasks of a plan one after the other: an engine that sees what the hits before would have put in place. A task may read the outputs of a
 * dependency of a dependency, which are no part of its key but what lies on the disk then.
 */
export function engineAfterRestores(engine: CacheEngine): {
  readonly engine: CacheEngine;
  readonly add: (changes: RestoreChanges) => void;
} {
  const { index, add, isEmpty } = indexAfterRestores(engine.index);
  return {
    add,
    engine: {
      ...engine,
      index,
      conclusions: {
        ...engine.conclusions,
        recall: (question) => (isEmpty() ? engine.conclusions.recall(question) : undefined),
      },
      // Of what is found here nothing is remembered: a `.gitignore` that a restore would write cannot be read yet.
      select: (request) =>
        isEmpty()
          ? engine.select({ ...request, index: engine.index })
          : (engine.inputMemo.reuse(request) ?? selectInputs(request)),
    },
  };
}
