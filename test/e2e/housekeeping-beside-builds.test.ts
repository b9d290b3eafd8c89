import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { cacheStatus } from "./run-json.ts";
import { createSandbox, cue, type Outcome, type Sandbox } from "./sandbox.ts";

const names = ["a", "b", "c", "d"];
/** Each task makes 50 kB of its own out of `in`, and checks what its dependency left. */
const project = (): Sandbox =>
  createSandbox({
    in: "0",
    "env.cue": cue({
      tasks: Object.fromEntries(
        names.map((name, index) => {
          const before = names[index - 1];
          const check =
            before === undefined ? "true" : `test "$(head -c 1 ${before}.out)" = "$(cat in)"`;
          return [
            name,
            {
              command: `${check} && yes "$(cat in)${name}" | head -c 50000 > ${name}.out`,
              inputs: ["in"],
              outputs: [`${name}.out`],
              dependencies: before === undefined ? [] : [before],
            },
          ];
        }),
      ),
    }),
  });

function bytesBelow(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { withFileTypes: true, recursive: true }).reduce(
    (sum, entry) => sum + (entry.isFile() ? lstatSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  );
}

/** So many sound blobs that no entry names, so that looking through them takes a while. */
function manyBlobs(sandbox: Sandbox, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const content = `blob ${index}`;
    const hash = createHash("sha256").update(content).digest("hex");
    const path = join(sandbox.cacheDir, "v1/cas/sha256", hash.slice(0, 2), hash);
    if (existsSync(path)) continue;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, content);
  }
}

describe("rows 34, 35: housekeeping beside running builds", () => {
  it.each([
    ["clear", []],
    ["prune", ["--max-size", "1MiB"]],
    ["prune", ["--max-age", "0s"]],
    ["cleanup", []],
    ["verify", ["--repair"]],
  ] as const)(
    "cuenv cache %s %j: every build ends well, with the right outputs",
    async (command, flags) => {
      const sandbox = project();
      const other = createSandbox(
        { in: sandbox.read("in"), "env.cue": sandbox.read("env.cue") },
        { beside: sandbox },
      );
      const state = { isBuilding: true };
      const builds = [sandbox, other].map(async (each) => {
        for (const version of ["1", "2", "1", "3"]) {
          each.write("in", version);
          const run = await each.cuenv(["task", "d"]);
          expect(run.code, run.stderr).toBe(0);
          for (const name of names)
            expect(each.read(`${name}.out`).slice(0, 2)).toBe(`${version}${name}`);
        }
      });
      const all = Promise.all(builds).finally(() => (state.isBuilding = false));
      const outcomes: Outcome[] = [];
      while (state.isBuilding)
        outcomes.push(await sandbox.cuenv(["cache", command, ...flags, "--json"]));
      await all;
      for (const { code, stdout, stderr } of outcomes) {
        expect(code, stderr + stdout).toBe(0);
        expect((JSON.parse(stdout) as { corrupt?: unknown[] }).corrupt ?? []).toEqual([]);
      }
      expect((await sandbox.cuenv(["cache", "verify"])).code).toBe(0);
      expect(await cacheStatus(sandbox, ["d", "--force"])).toMatchObject({ d: "miss" });
      expect(await cacheStatus(sandbox, ["d"])).toMatchObject({ a: "hit", d: "hit" });
    },
  );

  it("two prunes at once count each file once", async () => {
    const sandbox = project();
    await sandbox.cuenv(["task", "d"]);
    manyBlobs(sandbox, 3000);
    const stored = (): number =>
      bytesBelow(join(sandbox.cacheDir, "v1/cas")) + bytesBelow(join(sandbox.cacheDir, "v1/ac"));
    const before = stored();
    const outcomes = await Promise.all(
      [1, 2, 3].map(() => sandbox.cuenv(["cache", "prune", "--max-age", "0s", "--json"])),
    );
    const removed = outcomes.map(
      ({ stdout }) => JSON.parse(stdout) as { entries: number; bytes: number },
    );
    expect(removed.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(before - stored());
    expect(removed.reduce((sum, { entries }) => sum + entries, 0)).toBe(names.length);
    expect(stored()).toBe(0);
  });
});

/** One that is over already is none any more. */
function interruptGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGINT");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Interrupts a run in its midst: later when it was killed before it listened, earlier when it was over, which a busy machine makes of the same moment. */
async function interrupted(
  sandbox: Sandbox,
  args: readonly string[],
  prepare: () => Promise<void>,
): Promise<Outcome> {
  await prepare();
  for (let delay = 30, attempt = 0; ; attempt += 1) {
    let pid = 0;
    const ended = sandbox.cuenv(args, { detached: true, onStart: (id) => (pid = id) });
    await setTimeout(delay);
    interruptGroup(pid);
    const run = await ended;
    const isOver = run.code === 0;
    if ((!isOver && run.signal !== "SIGINT") || attempt === 100) return run;
    if (isOver) await prepare();
    delay = isOver ? delay * 0.8 : delay + 15;
  }
}

describe("row 31: Ctrl-C during housekeeping", () => {
  const sandbox = project();

  // Those that remove something come last: what is gone must be made again.
  it.each([
    ["stats", []],
    ["verify", []],
    ["prune", ["--max-age", "0s"]],
    ["clear", []],
  ] as const)(
    "cuenv cache %s %j ends with 130, and what is left is sound",
    async (command, flags) => {
      const run = await interrupted(sandbox, ["cache", command, ...flags], async () => {
        await sandbox.cuenv(["task", "d"]);
        manyBlobs(sandbox, 20_000);
      });
      expect(run, run.stderr).toMatchObject({ code: 130, stdout: "" });
      expect(run.stderr).toMatch(/^interrupted: \w+ \d+ files?, /);
      expect((await sandbox.cuenv(["cache", "verify"])).code).toBe(0);
      expect((await sandbox.cuenv(["task", "d"])).code).toBe(0);
    },
  );
});
