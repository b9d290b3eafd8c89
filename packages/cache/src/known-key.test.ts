import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommandTask } from "@cuenv/config";
import { hashText } from "@cuenv/digest";
import { describe, expect, it } from "vitest";
import {
  base,
  events,
  open,
  root,
  run,
  type Run,
  task,
  useEngineFolder,
} from "../test/engine-rig.ts";
import type { TaskRequest } from "./task-request.ts";

useEngineFolder();

interface Watched extends Run {
  /** Whether the inputs were selected, which is how a key is made. */
  readonly isComputed: boolean;
  /** Whether somebody looked for outputs. */
  readonly isPlanned: boolean;
}

interface Asked {
  readonly task?: CommandTask;
  readonly request?: Partial<TaskRequest>;
  readonly readOnly?: boolean;
}

/** Long after the last change: what was just written vouches for nothing by its stat. */
const later = (): number => Date.now() + 60_000;
/** Longer than what the file system takes for the same moment. */
const tickMs = 12;

/** One run. */
async function runLater({ readOnly = false, ...asked }: Asked = {}): Promise<Watched> {
  await sleep(tickMs);
  const opened = open({}, readOnly, {}, undefined, later);
  let isComputed = false;
  let isPlanned = false;
  const { engine } = opened;
  const watched = {
    ...engine,
    select: (request: Parameters<typeof engine.select>[0]) => {
      isComputed = true;
      return engine.select(request);
    },
    conclusions: {
      ...engine.conclusions,
      recall: (question: string) => {
        const answer = engine.conclusions.recall(question);
        // Without an answer about outputs somebody looks.
        if (answer === undefined) isPlanned = true;
        return answer;
      },
    },
  };
  const done = await run({ ...asked, opened: { ...opened, engine: watched } });
  return { ...done, isComputed, isPlanned };
}

/** Stored, and then a hit of which the next run knows all. */
async function known(asked: Asked = {}): Promise<Watched> {
  await runLater(asked);
  await runLater(asked);
  const third = await runLater(asked);
  expect(third).toMatchObject({ executions: 0, isComputed: false, isPlanned: false });
  return third;
}

function memo(): string {
  const folder = join(base, "cache/v1/workspaces");
  const found = readdirSync(folder, { recursive: true }).find((path) =>
    String(path).endsWith("/conclusions-test.jsonl"),
  );
  return join(folder, String(found));
}

describe("a task whose files all are as an earlier run saw them", () => {
  it("hits without its key being made, or its outputs being looked for", async () => {
    const { outcome, printed } = await known();
    expect(printed).toBe("made\n");
    expect(outcome).toMatchObject({ kind: "hit", restoredFiles: 0, tier: "disk" });
  });

  it("is known with links, whether they begin at their folder or at the root of all", async () => {
    symlinkSync("a", join(root, "src/near"));
    symlinkSync(join(root, "src/a"), join(root, "src/far"));
    const { outcome } = await known();
    rmSync(join(root, "src/far"));
    symlinkSync("a", join(root, "src/far"));
    // What it says in every checkout is the same.
    expect(await runLater()).toMatchObject({ isComputed: true, outcome: { key: outcome.key } });
    rmSync(join(root, "src/far"));
    symlinkSync(join(root, "src/b"), join(root, "src/far"));
    expect(await runLater()).toMatchObject({ isComputed: true, executions: 1 });
  });

  it("has the key that whoever knows nothing makes", async () => {
    const { outcome } = await known();
    rmSync(memo());
    const again = await runLater();
    expect(again).toMatchObject({ isComputed: true, outcome: { key: outcome.key } });
  });

  it("is known to a run that may only read, which keeps nothing", async () => {
    await known();
    const { mtimeMs } = statSync(memo());
    expect(await runLater({ readOnly: true })).toMatchObject({ isComputed: false, executions: 0 });
    writeFileSync(join(root, "src/a"), "two");
    await runLater({ readOnly: true, request: { mode: "read" } });
    expect(statSync(memo()).mtimeMs).toBe(mtimeMs);
  });

  it.each<readonly [string, () => void]>([
    ["an edited input", () => writeFileSync(join(root, "src/a"), "two")],
    ["an input that is executable now", () => chmodSync(join(root, "src/a"), 0o755)],
    ["a new input", () => writeFileSync(join(root, "src/b"), "")],
    [
      "a new folder with an input",
      () => {
        mkdirSync(join(root, "src/more"));
        writeFileSync(join(root, "src/more/b"), "");
      },
    ],
    ["a link beside its input", () => symlinkSync("a", join(root, "src/l"))],
  ])("runs after %s", async (_, change) => {
    await known();
    change();
    expect(await runLater()).toMatchObject({ executions: 1, isComputed: true });
  });

  it("runs after an input is ignored, and hits when it is not any more", async () => {
    writeFileSync(join(root, "src/b"), "b");
    await known();
    writeFileSync(join(root, ".gitignore"), "b\n");
    expect(await runLater()).toMatchObject({ executions: 1 });
    rmSync(join(root, ".gitignore"));
    expect(await runLater()).toMatchObject({ executions: 0 });
  });

  it("hits after an input was touched, or edited and put back", async () => {
    const { outcome } = await known();
    utimesSync(join(root, "src/a"), 1_700_000_000, 1_700_000_000);
    const touched = await runLater();
    expect(touched).toMatchObject({ executions: 0, isComputed: true });
    expect(touched.outcome.key).toBe(outcome.key);
    writeFileSync(join(root, "src/a"), "two");
    await runLater();
    writeFileSync(join(root, "src/a"), "one");
    expect(await runLater()).toMatchObject({ executions: 0, outcome: { key: outcome.key } });
    expect(readFileSync(join(root, "out/result"), "utf8")).toBe("made of one");
  });

  it.each<readonly [string, Asked]>([
    ["another command", { request: { argv: ["make", "all"] } }],
    ["another variable", { request: { variables: { A: "1" } } }],
    ["another declared output", { task: task({ outputs: ["out", "more"] }) }],
    ["another timeout", { task: task({ timeoutMs: 5 }) }],
    [
      "a dependency with a key",
      {
        request: {
          dependencies: [
            { task: "x", key: "1".repeat(64), outputs: undefined, declaredOutputs: [] },
          ],
        },
      },
    ],
    [
      "a dependency with outputs",
      {
        request: {
          dependencies: [
            {
              task: "x",
              key: "1".repeat(64),
              outputs: [{ kind: "directory", path: "x" }],
              declaredOutputs: ["x"],
            },
          ],
        },
      },
    ],
  ])("runs with %s", async (_, asked) => {
    await known();
    expect(await runLater(asked)).toMatchObject({ executions: 1 });
  });

  it("runs when what its dependency made is another", async () => {
    const made = (executable: boolean): Asked => {
      writeFileSync(join(root, "x"), "x");
      chmodSync(join(root, "x"), executable ? 0o755 : 0o644);
      const digest = hashText("sha256", "x");
      const outputs = [{ kind: "file", path: "x", digest, executable }] as const;
      const dependency = { task: "x", key: "1".repeat(64), outputs, declaredOutputs: ["x"] };
      return { request: { dependencies: [dependency] } };
    };
    await known(made(false));
    expect(await runLater(made(true))).toMatchObject({ executions: 1 });
    expect(await runLater(made(false))).toMatchObject({ executions: 0 });
  });

  it.each<readonly [string, () => void]>([
    ["gone", () => rmSync(join(root, "out"), { recursive: true })],
    ["another", () => writeFileSync(join(root, "out/result"), "damaged of one")],
    [
      "a folder",
      () => {
        rmSync(join(root, "out/result"));
        mkdirSync(join(root, "out/result"));
      },
    ],
    ["executable", () => chmodSync(join(root, "out/result"), 0o755)],
  ])("has its output put in place when it is %s, without its key being made", async (_, change) => {
    await known();
    change();
    expect(await runLater()).toMatchObject({ executions: 0, isComputed: false, isPlanned: true });
    expect(readFileSync(join(root, "out/result"), "utf8")).toBe("made of one");
    expect(statSync(join(root, "out/result")).mode & 0o100).toBe(0);
  });

  it("has a stray file in its outputs removed", async () => {
    await known();
    writeFileSync(join(root, "out/stray"), "");
    expect(await runLater()).toMatchObject({ executions: 0, isPlanned: true });
    expect(existsSync(join(root, "out/stray"))).toBe(false);
    mkdirSync(join(root, "out/empty"));
    await runLater();
    expect(existsSync(join(root, "out/empty"))).toBe(false);
  });

  it("is no hit below a link in place of a folder above its outputs", async () => {
    const deep = { task: task({ outputs: ["out/result"] }) };
    await known(deep);
    rmSync(join(root, "out"), { recursive: true });
    mkdirSync(join(base, "elsewhere"));
    writeFileSync(join(base, "elsewhere/result"), "made of one");
    symlinkSync(join(base, "elsewhere"), join(root, "out"));
    const { outcome } = await runLater(deep);
    expect(outcome).toMatchObject({
      kind: "executed",
      miss: { text: "its outputs could not be restored" },
      stored: false,
    });
    // Nothing was wrong with the result.
    rmSync(join(root, "out"));
    expect(await runLater(deep)).toMatchObject({ executions: 0, outcome: { restoredFiles: 1 } });
  });

  it("runs when its result is gone, and says so", async () => {
    await known();
    rmSync(join(base, "cache/v1/ac"), { recursive: true });
    const { outcome, executions } = await runLater();
    expect(executions).toBe(1);
    expect(outcome).toMatchObject({
      miss: { reason: "absent", text: "its result is no longer in the cache" },
    });
  });

  it.each([
    ["a path that is not there", ["src", "gone"], "inputNotFound"],
    ["a pattern without a file", ["src", "*.none"], "note"],
    ["nothing but patterns without a file", ["*.none"], "inputNotFound"],
    ["a link that leads out", ["src", "out-of-here"], "note"],
  ])("tells each time what is odd about its inputs: %s", async (_, inputs, type) => {
    symlinkSync("/etc/hosts", join(root, "out-of-here"));
    const odd = { task: task({ inputs }) };
    const told = (): unknown => events.filter((event) => event.type === type);
    await runLater(odd);
    const first = told();
    expect(first).toHaveLength(1);
    events.length = 0;
    await known(odd);
    events.length = 0;
    await known(odd);
    expect(told()).toEqual([first, first, first].flat());
    writeFileSync(join(root, "src/a"), "two");
    writeFileSync(join(root, "x.none"), "");
    events.length = 0;
    await runLater(odd);
    expect(events.filter(({ type: each }) => each === "miss")).toHaveLength(1);
    expect(events.filter((event) => event.type === type).length).toBeLessThanOrEqual(1);
  });

  it("is not known by what was written a moment ago", async () => {
    const at = Date.now();
    const soon = (): Promise<Run> => run({ opened: open({}, false, {}, undefined, () => at) });
    await soon();
    expect(await soon()).toMatchObject({ executions: 0 });
    expect(existsSync(memo())).toBe(false);
  });
});
