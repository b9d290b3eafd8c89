import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CacheSettings, CommandTask } from "@cuenv/config";
import { defaultCacheSettings } from "@cuenv/config";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { CacheEvent } from "./cache-event.ts";
import { executeTaskWithCache } from "./execute-task-with-cache.ts";
import { executeWithoutCache } from "./execute-without-cache.ts";
import { openCacheEngine, type OpenedCacheEngine } from "./open-cache-engine.ts";
import type {
  DependencyState,
  Execution,
  OutputSink,
  TaskOutcome,
  TaskRequest,
} from "./task-request.ts";

let base: string;
let root: string;
let settings: CacheSettings;
let events: CacheEvent[];

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "engine-")));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  root = join(base, "work");
  mkdirSync(join(root, "src"), { recursive: true });
  writeFileSync(join(root, "src/a"), "one");
  settings = { ...defaultCacheSettings, cacheDir: join(base, "cache") };
  events = [];
});

function open(changed: Partial<CacheSettings> = {}, readOnly = false): OpenedCacheEngine {
  return openCacheEngine({
    settings: { ...settings, ...changed },
    workspaceRoot: root,
    projectPath: "",
    version: "test",
    readOnly,
    onEvent: (event) => events.push(event),
  });
}

function task(changed: Partial<CommandTask> = {}): CommandTask {
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

interface Run {
  readonly outcome: TaskOutcome<Execution>;
  readonly executions: number;
  readonly printed: string;
}

/** One run of `task` in a process of its own, as far as the engine can tell. */
async function run(
  options: {
    readonly task?: CommandTask;
    readonly request?: Partial<TaskRequest>;
    readonly settings?: Partial<CacheSettings>;
    readonly opened?: OpenedCacheEngine;
    readonly exitCode?: number;
    readonly during?: (output: OutputSink) => void;
  } = {},
): Promise<Run> {
  const opened = options.opened ?? open(options.settings);
  let executions = 0;
  let printed = "";
  const add = (chunk: Uint8Array): void => void (printed += Buffer.from(chunk).toString());
  const request: TaskRequest = {
    task: options.task ?? task(),
    mode: "read-write",
    force: false,
    argv: ["make"],
    variables: {},
    secretNames: new Set(),
    secretValues: [],
    hostEnvironment: {},
    dependencies: [],
    output: { stdout: add, stderr: add },
    ...options.request,
  };
  const outcome = await executeTaskWithCache(opened.engine, request, async ({ output }) => {
    executions += 1;
    mkdirSync(join(root, "out"), { recursive: true });
    writeFileSync(join(root, "out/result"), `made of ${readFileSync(join(root, "src/a"), "utf8")}`);
    await output.stdout(Buffer.from("made\n"));
    options.during?.(output);
    const exitCode = options.exitCode ?? 0;
    return { succeeded: exitCode === 0, exitCode, durationMs: 1234 };
  });
  await opened.close();
  return { outcome, executions, printed };
}

const typesOf = (seen: readonly CacheEvent[]): string[] => seen.map((event) => event.type);

describe("executeTaskWithCache", () => {
  it("row 31: executes once on a miss and never on a hit, whose outputs and output it gives back", async () => {
    const first = await run();
    expect(first).toMatchObject({ executions: 1, outcome: { kind: "executed", stored: true } });
    rmSync(join(root, "out"), { recursive: true });
    const second = await run();
    expect(second).toMatchObject({
      executions: 0,
      printed: "made\n",
      outcome: { kind: "hit", savedMs: 1234, restoredFiles: 1 },
    });
    expect(readFileSync(join(root, "out/result"), "utf8")).toBe("made of one");
  });

  it("row 27: looks up, misses, runs, stores; then looks up, restores, hits: in that order", async () => {
    await run();
    expect(typesOf(events)).toEqual(["lookup", "miss", "executed", "stored"]);
    events.length = 0;
    rmSync(join(root, "out"), { recursive: true });
    await run();
    expect(typesOf(events)).toEqual(["restored", "lookup", "hit"]);
  });

  it("row 31: keeps the exit code of a failed run, and does not store it", async () => {
    expect(await run({ exitCode: 7 })).toMatchObject({
      outcome: { execution: { exitCode: 7 }, stored: false, notStored: undefined },
    });
    expect(await run()).toMatchObject({ executions: 1 });
  });

  it("says first run, then what changed", async () => {
    const first = await run();
    expect(first.outcome).toMatchObject({ miss: { reason: "absent", text: "first run" } });
    writeFileSync(join(root, "src/a"), "two");
    expect((await run()).outcome).toMatchObject({ miss: { text: "src/a changed" } });
  });

  it("does not store a run whose input changed meanwhile, nor one that gained an input", async () => {
    const edited = await run({ during: () => writeFileSync(join(root, "src/a"), "edited") });
    expect(edited.outcome).toMatchObject({
      stored: false,
      notStored: { reason: "inputsChanged", detail: "its input src/a changed while it ran" },
    });
    const grown = await run({ during: () => writeFileSync(join(root, "src/new"), "") });
    expect(grown.outcome).toMatchObject({ stored: false, notStored: { reason: "inputsChanged" } });
    expect(await run()).toMatchObject({ executions: 1, outcome: { stored: true } });
  });

  it("does not store outputs that cannot be stored, and says which", async () => {
    const linked = await run({ during: () => symlinkSync("/etc/passwd", join(root, "out/link")) });
    expect(linked.outcome).toMatchObject({
      stored: false,
      notStored: { reason: "unsuitableOutput", detail: expect.stringContaining("out/link") },
    });
  });

  it("row 28: takes a damaged entry or blob for a miss, runs again, and is whole afterwards", async () => {
    await run();
    const files = readdirSync(join(base, "cache/v1"), {
      recursive: true,
      withFileTypes: true,
    }).filter((entry) => entry.isFile() && /[\\/](cas|ac)[\\/]/.test(entry.parentPath));
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const path = join(file.parentPath, file.name);
      const bytes = readFileSync(path);
      bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
      chmodSync(path, 0o600);
      writeFileSync(path, bytes);
      rmSync(join(root, "out"), { recursive: true });
      await run();
      expect(readFileSync(join(root, "out/result"), "utf8"), path).toBe("made of one");
      rmSync(join(root, "out"), { recursive: true });
      expect((await run()).outcome.kind, path).toBe("hit");
    }
  });

  it("runs the task when the cache fails in a way that nobody foresaw", async () => {
    await run();
    const opened = open();
    const failing = {
      ...opened.engine.blobs,
      readSync: () => {
        throw new Error("cannot load our own code: EMFILE");
      },
    };
    const engine = { ...opened.engine, blobs: failing };
    expect(await run({ opened: { ...opened, engine } })).toMatchObject({
      executions: 1,
      outcome: { kind: "executed", miss: { reason: "unreadable" } },
    });
    expect(events.filter((event) => event.type === "trouble")).toHaveLength(1);
  });

  it("does not take it for a failure of the cache when nobody takes the replayed output", async () => {
    await run();
    const gone = (): never => {
      throw new Error("EPIPE");
    };
    await expect(run({ request: { output: { stdout: gone, stderr: gone } } })).rejects.toThrow(
      "EPIPE",
    );
  });

  it("row 26: keeps results in memory where the disk cannot be written, with one cause of trouble", async () => {
    writeFileSync(join(base, "cache"), "a file where the folder should be");
    const opened = open();
    expect((await run({ opened })).outcome).toMatchObject({
      kind: "executed",
      stored: false,
      notStored: { reason: "storeUnavailable" },
    });
    rmSync(join(root, "out"), { recursive: true });
    // What this test did behind the back of the process.
    opened.engine.index.invalidate("out");
    expect((await run({ opened })).outcome).toMatchObject({ kind: "hit", restoredFiles: 1 });
    const causes = events.flatMap((event) => (event.type === "trouble" ? [event.cause] : []));
    expect(new Set(causes)).toEqual(new Set(["unavailable"]));
  });

  it("row 7: reads and writes as its mode says", async () => {
    expect(await run({ request: { mode: "read" } })).toMatchObject({
      executions: 1,
      outcome: { stored: false },
    });
    expect(await run({ request: { mode: "write" } })).toMatchObject({
      executions: 1,
      outcome: { stored: true },
    });
    expect(await run({ request: { mode: "write" } })).toMatchObject({
      executions: 1,
      outcome: { stored: true },
    });
    expect(await run({ request: { mode: "read" } })).toMatchObject({ executions: 0 });
    expect(await run({ request: { mode: "read-write" } })).toMatchObject({ executions: 0 });
    expect(await run({ request: { force: true } })).toMatchObject({
      executions: 1,
      outcome: { stored: true },
    });
  });

  it("makes nothing on disk in a run that only reads", async () => {
    await run({ opened: open({}, true), request: { mode: "read" } });
    expect(existsSync(join(base, "cache"))).toBe(false);
  });

  it("does not use what is too old for the task", async () => {
    await run();
    const cache = { ...task().cache, maxAgeMs: 0 };
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await run({ task: task({ cache }) })).outcome).toMatchObject({
      kind: "executed",
      miss: { reason: "expired" },
    });
  });

  it("never stores the value of a secret: not in an output, an argument or a stream", async () => {
    const secret = "canary-5f0e1";
    const request = {
      variables: { TOKEN: secret },
      secretNames: new Set(["TOKEN"]),
      secretValues: [secret],
    };
    const leaked = await run({
      request,
      during: () => writeFileSync(join(root, "out/leak"), `x${secret}y`),
    });
    expect(leaked.outcome).toMatchObject({
      stored: false,
      notStored: { reason: "secretInOutput" },
    });
    rmSync(join(root, "out/leak"));
    const argument = await run({ request: { ...request, argv: ["make", `--token=${secret}`] } });
    expect(argument.outcome).toMatchObject({
      stored: false,
      notStored: { reason: "secretInOutput" },
    });
    expect((await run({ request })).outcome).toMatchObject({ stored: true });
    const everything = readdirSync(join(base, "cache"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
    expect(everything.filter((content) => content.includes(secret))).toEqual([]);
    const other = {
      variables: { TOKEN: "another" },
      secretNames: new Set(["TOKEN"]),
      secretValues: ["another"],
    };
    expect((await run({ request: other })).executions).toBe(1);
    expect((await run({ request })).executions).toBe(0);
  });

  it("never stores a secret that is only a part of a variable, nor one in a file's name", async () => {
    const secretValues = ["canary-77a2"];
    const variables = { URL: "postgres://u:canary-77a2@h" };
    const request = { variables, secretNames: new Set(["URL"]), secretValues };
    for (const name of ["plain", "canary-77a2.txt"]) {
      const content = name === "plain" ? "password canary-77a2" : "";
      const during = (): void => writeFileSync(join(root, "out", name), content);
      const result = await run({ request, during });
      expect(result.outcome, name).toMatchObject({ notStored: { reason: "secretInOutput" } });
      rmSync(join(root, "out", name));
    }
  });

  it("row 4: runs a key once when two ask for it at the same time", async () => {
    const opened = open();
    const [one, two] = await Promise.all([run({ opened }), run({ opened })]);
    expect(one.executions + two.executions).toBe(1);
  });
});

describe("dependencies", () => {
  const consumer = task({ name: "pack", inputs: [], outputs: ["packed"] });
  const states = (
    outcome: TaskOutcome<Execution>,
  ): { dependencies: readonly DependencyState[] } => ({ dependencies: [outcome.state] });

  it("let a dependent hit when their outputs came out equal, though they ran", async () => {
    await run({ task: consumer, request: states((await run()).outcome) });
    writeFileSync(join(root, "src/b"), "changes the key of build, not what it makes");
    const again = await run();
    expect(again.executions).toBe(1);
    expect((await run({ task: consumer, request: states(again.outcome) })).executions).toBe(0);
  });

  it("make a dependent miss when their outputs changed, and the reason names who made them", async () => {
    await run({ task: consumer, request: states((await run()).outcome) });
    writeFileSync(join(root, "src/a"), "two");
    const miss = await run({ task: consumer, request: states((await run()).outcome) });
    expect(miss.outcome).toMatchObject({
      kind: "executed",
      miss: { text: expect.stringContaining("build") },
    });
  });

  it("count with their key when they declare no outputs", async () => {
    const check = task({ name: "check", outputs: [] });
    await run({ task: consumer, request: states((await run({ task: check })).outcome) });
    expect(
      (await run({ task: consumer, request: states((await run({ task: check })).outcome) }))
        .executions,
    ).toBe(0);
    writeFileSync(join(root, "src/a"), "two");
    expect(
      (await run({ task: consumer, request: states((await run({ task: check })).outcome) }))
        .executions,
    ).toBe(1);
  });

  it("whose outputs cannot be described make a dependent run each time", async () => {
    const leave = (): void => symlinkSync("/etc/hostname", join(root, "out/link"));
    for (const round of [1, 2]) {
      const { outcome } = await run({ during: leave });
      rmSync(join(root, "out/link"));
      const result = await run({ task: consumer, request: states(outcome) });
      expect(result, `round ${round}`).toMatchObject({
        executions: 1,
        outcome: { stored: false, miss: { reason: "uncachedDependency" } },
      });
    }
  });

  it("that are not cached and declare no outputs make a dependent run each time", async () => {
    const opened = open();
    const uncached = task({ name: "fetch", inputs: undefined, outputs: undefined });
    const execute = async (): Promise<Execution> => ({
      succeeded: true,
      exitCode: 0,
      durationMs: 1,
    });
    const { state } = await executeWithoutCache(opened.engine, uncached, execute);
    for (const round of [1, 2]) {
      const result = await run({ opened, task: consumer, request: { dependencies: [state] } });
      expect(result, `round ${round}`).toMatchObject({
        executions: 1,
        outcome: { miss: { reason: "uncachedDependency" } },
      });
    }
  });

  it("that are not cached but declare outputs count with what they made", async () => {
    const opened = open();
    const uncached = task({ name: "fetch", outputs: ["fetched"] });
    const fetch = async (content: string): Promise<DependencyState> => {
      const execute = async (): Promise<Execution> => {
        writeFileSync(join(root, "fetched"), content);
        return { succeeded: true, exitCode: 0, durationMs: 1 };
      };
      return (await executeWithoutCache(opened.engine, uncached, execute)).state;
    };
    await run({ opened, task: consumer, request: { dependencies: [await fetch("same")] } });
    expect(
      (await run({ opened, task: consumer, request: { dependencies: [await fetch("same")] } }))
        .executions,
    ).toBe(0);
    expect(
      (await run({ opened, task: consumer, request: { dependencies: [await fetch("other")] } }))
        .executions,
    ).toBe(1);
  });
});
