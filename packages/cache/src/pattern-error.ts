import type { CommandTask } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { compilePatterns } from "@cuenv/key";

/** What is wrong with the patterns of a task, which nothing looks at before it runs; undefined: nothing. */
export function patternError(task: CommandTask): CuenvError | undefined {
  const { inputs = [], outputs = [], cache } = task;
  try {
    for (const patterns of [inputs, cache.extraInputs, cache.ignoreInputs, outputs])
      compilePatterns(patterns, "");
    return undefined;
  } catch (error) {
    const placed = atTask(error, task);
    if (placed instanceof CuenvError) return placed;
    throw error;
  }
}

/** The error of a pattern says neither whose it is nor where that is written. */
export function atTask(error: unknown, { name, location }: CommandTask): unknown {
  if (!(error instanceof CuenvError) || error.code !== "KEY_GLOB_INVALID") return error;
  const { hint, message } = error;
  return new CuenvError(error.code, message.replace("cannot use", `cannot read task ${name}:`), {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(location === undefined ? {} : { location }),
  });
}
