import { createToolProbe, type ToolOutputs } from "@cuenv/key";
import { readState, writeState } from "./workspace-state.ts";

/** Runs the `runtime` commands of tasks, each once in a run, and not again while the program they start is the same file. */
export interface ToolProbe {
  probe(commands: readonly string[], env: Readonly<Record<string, string>>): Promise<ToolOutputs>;
  save(): void;
}

/** A probe that remembers what it learnt in `stateFile`. The file is read when a task has a command to probe. */
export function openToolProbe(options: {
  readonly stateFile: string;
  /** Absolute path of the project's folder, where the commands run. */
  readonly directory: string;
}): ToolProbe {
  const { stateFile, directory } = options;
  let probe: ReturnType<typeof createToolProbe> | undefined;
  return {
    probe: async (commands, env) => {
      if (commands.length === 0) return { kind: "probed", outputs: [] };
      probe ??= createToolProbe({ directory, memo: readState(stateFile) });
      return probe.probe(commands, env);
    },
    save: () => {
      const text = probe?.serialize();
      if (text !== undefined) writeState(stateFile, text);
    },
  };
}
