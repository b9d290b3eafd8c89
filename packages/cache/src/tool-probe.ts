/** What the commands of `runtime` printed, or why one of them could not. */
export type ToolOutputs =
  | {
      readonly kind: "probed";
      readonly outputs: readonly { readonly command: string; readonly output: string }[];
    }
  | { readonly kind: "failed"; readonly text: string };

/** Runs the `runtime` commands of tasks, each once in a run, and not again while the program they start is the same file. */
export interface ToolProbe {
  probe(commands: readonly string[], env: Readonly<Record<string, string>>): Promise<ToolOutputs>;
  save(): void;
}

export function openToolProbe(_options: {
  readonly stateFile: string;
  readonly directory: string;
}): ToolProbe {
  return {
    probe: async (commands) =>
      commands.length === 0
        ? { kind: "probed", outputs: [] }
        : { kind: "failed", text: "runtime commands are not probed yet" },
    save: () => {},
  };
}
