import type { TaskOutputReference } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";

/** What a task printed, and how it ended. */
export interface TaskOutputs {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}

/** The outputs of tasks that ran, or were replayed, before; undefined: it did not run. */
export type OutputsOf = (task: string) => TaskOutputs | undefined;

/** Linux takes no longer argument or variable (MAX_ARG_STRLEN). */
const longestValue = 128 * 1024 - 1;

/**
 * The text that stands for another task's output: as in a shell's `$(…)`, without the newlines at its end.
 * @throws {CuenvError} RUN_OUTPUT_REFERENCE
 */
export function referencedOutput(reference: TaskOutputReference, outputsOf: OutputsOf): string {
  const cannot = `cannot use the ${reference.output} of ${JSON.stringify(reference.task)}`;
  const outputs = outputsOf(reference.task);
  if (outputs === undefined)
    throw new CuenvError("RUN_OUTPUT_REFERENCE", `${cannot}: the task did not run`, {
      hint: "run it with its dependencies",
    });
  if (reference.output === "exitCode") return String(outputs.exitCode);
  const bytes = outputs[reference.output];
  // Its end may be missing, be it behind a thousand newlines: what is long is not kept whole.
  if (bytes.length > longestValue)
    throw new CuenvError(
      "RUN_OUTPUT_REFERENCE",
      `${cannot}: it is longer than the ${longestValue} bytes that an argument can hold`,
      {
        hint: "let the task write a file, and declare it as an output",
      },
    );
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0x0a) end -= 1;
  const text = bytes.subarray(0, end);
  if (text.includes(0))
    throw new CuenvError("RUN_OUTPUT_REFERENCE", `${cannot}: it contains a NUL byte`, {
      hint: "let the task write a file, and declare it as an output",
    });
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
  } catch (cause) {
    throw new CuenvError("RUN_OUTPUT_REFERENCE", `${cannot}: it is not UTF-8 text`, {
      hint: "let the task write a file, and declare it as an output",
      cause,
    });
  }
}
