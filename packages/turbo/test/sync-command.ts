import type { SyncCommand } from "../src/sync/sync-workspace.ts";

/** A command as plain as there is, from `src` to `dist`, but for `more`. */
export function syncCommand(name: string, more: Partial<SyncCommand> = {}): SyncCommand {
  return {
    kind: "command",
    name,
    line: 3,
    dependencies: [],
    commands: more.dependencies ?? [],
    printedBy: [],
    refused: null,
    inputs: ["src"],
    extraInputs: [],
    ignoreInputs: [],
    outputs: ["dist"],
    hasCacheKey: false,
    cache: "read-write",
    maxAgeMs: null,
    environment: { set: [], host: [], secrets: [], include: [], exclude: [], mode: "strict" },
    runtime: [],
    ...more,
  };
}
