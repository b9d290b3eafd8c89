import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type CacheSettings, type CommandTask, defaultCacheSettings } from "@cuenv/config";
import { beforeEach, onTestFinished } from "vitest";
import type { CacheEvent } from "../src/cache-event.ts";
import type { TrustPolicy } from "../src/entry-trust.ts";
import { executeTaskWithCache } from "../src/execute-task-with-cache.ts";
import { openCacheEngine, type OpenedCacheEngine } from "../src/open-cache-engine.ts";
import type { RemoteOptions } from "../src/remote-tier.ts";
import type { Execution, OutputSink, TaskOutcome, TaskRequest } from "../src/task-request.ts";

/** Of the present test: a folder of its own, the workspace in it, and what the engine told. */
export let base: string;
export let root: string;
let settings: CacheSettings;
export let events: CacheEvent[];
/** As cuenv has it by default: this machine's own key. */
let trust: TrustPolicy;

/** Makes them anew for each test of a file. */
export function useEngineFolder(): void {
  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), "engine-")));
    onTestFinished(() => rmSync(base, { recursive: true, force: true }));
    root = join(base, "work");
    mkdirSync(join(root, "src"), { recursive: true });
    writeFileSync(join(root, "src/a"), "one");
    settings = { ...defaultCacheSettings, cacheDir: join(base, "cache") };
    events = [];
    trust = {
      mode: "local",
      trustFile: join(base, "config/trusted-keys"),
      stateDirectory: join(base, "state"),
    };
  });
}

export function open(
  changed: Partial<CacheSettings> = {},
  readOnly = false,
  policy: Partial<TrustPolicy> = {},
  remote?: RemoteOptions,
  now?: () => number,
): OpenedCacheEngine {
  return openCacheEngine({
    settings: { ...settings, ...changed },
    trust: { ...trust, ...policy },
    workspaceRoot: root,
    projectPath: "",
    version: "test",
    readOnly,
    remote,
    ...(now === undefined ? {} : { now }),
    onEvent: (event) => events.push(event),
  });
}

export function task(changed: Partial<CommandTask> = {}): CommandTask {
  return {
    kind: "command",
    name: "build",
    dependencies: [],
    action: { kind: "argv", argv: ["make"] },
    parameters: [],
    directory: "",
    env: {},
    inputs: ["src"],
    taskInputs: [],
    outputs: ["out"],
    cache: {
      enabled: true,
      disabledReason: undefined,
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
    ...changed,
  };
}

export interface Run {
  readonly outcome: TaskOutcome<Execution>;
  readonly executions: number;
  readonly printed: string;
}

/** What a front end asks of the engine for a task; nothing is printed. */
export function taskRequest(changed: Partial<TaskRequest> = {}): TaskRequest {
  const ignored = (): void => undefined;
  return {
    task: task(),
    mode: "read-write",
    force: false,
    argv: ["make"],
    variables: {},
    secretNames: new Set(),
    secretValues: [],
    hostEnvironment: {},
    dependencies: [],
    output: { stdout: ignored, stderr: ignored },
    ...changed,
  };
}

/** One run of `task` in a process of its own, as far as the engine can tell. */
export async function run(
  options: {
    readonly task?: CommandTask;
    readonly request?: Partial<TaskRequest>;
    readonly settings?: Partial<CacheSettings>;
    readonly trust?: Partial<TrustPolicy>;
    readonly opened?: OpenedCacheEngine;
    readonly exitCode?: number;
    /** It leaves a process behind. */
    readonly isCut?: boolean;
    readonly during?: (output: OutputSink) => void;
  } = {},
): Promise<Run> {
  const opened = options.opened ?? open(options.settings, false, options.trust);
  let executions = 0;
  let printed = "";
  const add = (chunk: Uint8Array): void => void (printed += Buffer.from(chunk).toString());
  const request = taskRequest({
    task: options.task ?? task(),
    output: { stdout: add, stderr: add },
    ...options.request,
  });
  const outcome = await executeTaskWithCache(opened.engine, request, async ({ output }) => {
    executions += 1;
    make(join(root, "out/result"), `made of ${readFileSync(join(root, "src/a"), "utf8")}`);
    await output.stdout(Buffer.from("made\n"));
    options.during?.(output);
    const exitCode = options.exitCode ?? 0;
    const succeeded = exitCode === 0 && options.isCut !== true;
    return { succeeded, exitCode, durationMs: 1234 };
  });
  await opened.close();
  return { outcome, executions, printed };
}

export const typesOf = (seen: readonly CacheEvent[]): string[] => seen.map((event) => event.type);

/** As a tool does that leaves alone what is right already: for some tasks of the tests it is an input. */
function make(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path) || readFileSync(path, "utf8") !== content) writeFileSync(path, content);
}
