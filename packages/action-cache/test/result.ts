import { hashText } from "@cuenv/digest";
import type { TaskResult } from "../src/task-result.ts";

/** A result with one of everything. */
export function makeResult(changes: Partial<TaskResult> = {}): TaskResult {
  return {
    key: { ...hashText("sha256", "an action"), function: "sha256" },
    namespace: "default",
    outputs: [
      { kind: "directory", path: "app/dist" },
      { kind: "file", path: "app/dist/a.js", digest: hashText("sha256", "a"), executable: false },
      { kind: "symlink", path: "app/dist/b.js", target: "a.js" },
    ],
    declaredOutputs: ["app/dist"],
    exitCode: 0,
    stdout: hashText("sha256", "built\n"),
    stderr: null,
    keyInputs: hashText("sha256", "{}"),
    keyEpoch: 0,
    keySchema: 1,
    builder: { id: "local", version: "0.1.0", os: "linux", arch: "x64" },
    startedAt: "2026-11-22T18:00:00.000Z",
    durationMs: 12.5,
    ...changes,
  };
}
