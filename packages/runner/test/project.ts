import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandTask, GroupTask, Project, SequenceTask, Task } from "@cuenv/config";
import { onTestFinished } from "vitest";
import type { ExecutionOutcome, ProcessRequest } from "../src/index.ts";

/** A command task that runs `script` in sh. */
export function commandTask(
  name: string,
  fields: Partial<CommandTask> & { readonly script?: string } = {},
): CommandTask {
  const { script = "true", ...rest } = fields;
  return {
    kind: "command",
    name,
    dependencies: [],
    action: { kind: "shell", shell: ["sh", "-c"], script, appendArguments: true },
    parameters: [],
    directory: "",
    env: {},
    inputs: undefined,
    taskInputs: [],
    outputs: undefined,
    cache: {
      enabled: false,
      disabledReason: "undeclared",
      mode: undefined,
      maxAgeMs: undefined,
      cacheKey: undefined,
      envInclude: undefined,
      envExclude: undefined,
      envMode: undefined,
      extraInputs: [],
      ignoreInputs: [],
      customKeyComponents: {},
      runtime: [],
      keyEpoch: undefined,
    },
    timeoutMs: undefined,
    retry: { attempts: 1, delayMs: 0 },
    continueOnError: false,
    ...rest,
  };
}

export function groupTask(
  name: string,
  members: readonly string[],
  fields: Partial<GroupTask> = {},
): GroupTask {
  return { kind: "group", name, members, dependencies: [], maxConcurrency: undefined, ...fields };
}

export function sequenceTask(
  name: string,
  members: readonly string[],
  fields: Partial<SequenceTask> = {},
): SequenceTask {
  return { kind: "sequence", name, members, dependencies: [], ...fields };
}

export function projectOf(...tasks: readonly Task[]): Project {
  return {
    env: {},
    environments: [],
    tasks: Object.fromEntries(tasks.map((task) => [task.name, task])),
    cache: {},
    warnings: [],
  };
}

export const succeeded: ExecutionOutcome<undefined> = {
  status: "succeeded",
  exitCode: 0,
  durationMs: 0,
  outputComplete: true,
  payload: undefined,
};

export function failed(exitCode: number): ExecutionOutcome<undefined> {
  return { status: "failed", exitCode, durationMs: 0, payload: undefined };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cuenv-runner-test-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** This process's environment, without what vitest sets for node children. */
export function plainEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && name !== "NODE_OPTIONS") environment[name] = value;
  return environment;
}

/** A request that collects both streams. */
export function collecting(
  argv: readonly string[],
  fields: Partial<ProcessRequest> = {},
): {
  readonly request: ProcessRequest;
  readonly stdout: () => Buffer;
  readonly stderr: () => Buffer;
} {
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  return {
    request: {
      argv,
      cwd: tmpdir(),
      env: plainEnvironment(),
      stdin: "ignore",
      stdout: (chunk) => void chunks.stdout.push(chunk),
      stderr: (chunk) => void chunks.stderr.push(chunk),
      ...fields,
    },
    stdout: () => Buffer.concat(chunks.stdout),
    stderr: () => Buffer.concat(chunks.stderr),
  };
}

/** Whether a process exists that is not a zombie. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const { readFileSync } = process.getBuiltinModule("node:fs");
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return process.platform !== "linux";
  }
}
