import { createGroupedOutput } from "./grouped-output.ts";
import type { OutputSink } from "./output-sink.ts";
import { createPrefixedOutput } from "./prefixed-output.ts";

export type OutputMode = "raw" | "prefixed" | "grouped";

export interface OutputOptions {
  readonly mode: OutputMode;
  readonly stdout: OutputSink;
  readonly stderr: OutputSink;
  /** Whether prefixes and headers are coloured. */
  readonly colors: boolean;
  /** The tasks that will run, for the width of the prefixes and the choice of colours. */
  readonly names: readonly string[];
  /** Grouped: mark the groups for GitHub Actions, which folds them. */
  readonly github?: boolean;
}

/** Where one task's output goes. */
export interface TaskOutput {
  readonly stdout: (chunk: Uint8Array) => void | Promise<void>;
  readonly stderr: (chunk: Uint8Array) => void | Promise<void>;
  /** The task has ended: writes what was held back. Once, after the last chunk. */
  readonly end: () => void | Promise<void>;
}

export interface RunOutput {
  readonly task: (name: string) => TaskOutput;
}

/**
 * The output of a run's tasks. "raw": byte for byte, each stream on its own. "prefixed": each stream on its own, lines
 * behind the task's name. "grouped": a task's whole output when it ends.
 */
export function createOutput(options: OutputOptions): RunOutput {
  switch (options.mode) {
    case "raw": {
      const { stdout, stderr } = options;
      return { task: () => ({ stdout: stdout.write, stderr: stderr.write, end: () => undefined }) };
    }
    case "prefixed":
      return createPrefixedOutput(options);
    case "grouped":
      return createGroupedOutput(options);
  }
}
