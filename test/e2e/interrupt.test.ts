import { existsSync, linkSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { isAlive } from "./is-alive.ts";
import { runJson, statusOf } from "./run-json.ts";
import { counting, createSandbox, cue, type Outcome } from "./sandbox.ts";

/** Three processes: a shell, its child and its grandchild. They end at once when `PIDS.short` is there. */
function threeProcesses(pids: string): string {
  const inner = `echo $$ >> ${pids}; sleep 300 & echo $! >> ${pids}; wait`;
  return `test -e ${pids}.short || { sh -c '${inner}' & echo $$ >> ${pids}; wait; }`;
}

function tasksOf(name: string): Record<string, unknown> {
  return {
    [name]: {
      ...counting(name, `echo part > ${name}.out; ${threeProcesses(`../pids-${name}`)}`),
      inputs: [],
      outputs: [`${name}.out`],
      dependencies: ["before"],
    },
    [`after-${name}`]: { ...counting(`after-${name}`), dependencies: [name] },
  };
}

// Each test has a task of its own, all of them one project: that is evaluated once.
const own = createSandbox({
  "env.cue": cue({
    tasks: {
      before: { command: "true", inputs: [] },
      ...Object.assign({}, ...["SIGINT", "SIGTERM", "SIGHUP", "alone", "killed"].map(tasksOf)),
      stubborn: {
        command: `trap '' INT TERM; echo $$ >> ../pids-stubborn; while :; do sleep 0.2; done`,
        inputs: [],
      },
    },
  }),
});
beforeAll(() => own.cuenv(["task"]));

/** Starts a task in a process group of its own, and waits for its processes. */
async function start(
  task: string,
  count: number,
): Promise<{ pid: number; pids: number[]; ended: Promise<Outcome> }> {
  let pid = 0;
  const ended = own.cuenv(["task", task], { detached: true, onStart: (id) => (pid = id) });
  const name = task.replace("after-", "");
  const pids = await vi.waitFor(
    () => {
      const found = own.read(`../pids-${name}`).trim().split("\n").map(Number);
      expect(found).toHaveLength(count);
      // A shell opens the file before it writes to it.
      expect(Math.min(...found)).toBeGreaterThan(0);
      return found;
    },
    { timeout: 40_000, interval: 20 },
  );
  return { pid, pids, ended };
}

/** Blobs that no entry names, older than any grace; that their bytes are not those of their names is nobody's concern here. */
function manyOldBlobs(cacheDir: string, count: number): string[] {
  const old = Date.now() / 1000 - 7 * 24 * 3600;
  let first = "";
  return Array.from({ length: count }, (_, index) => {
    const shard = (index % 256).toString(16).padStart(2, "0");
    const path = `${cacheDir}/v1/cas/sha256/${shard}/${shard}${String(index).padStart(62, "0")}`;
    if (index < 256) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // One file by many names, which takes a tenth of the time of many files.
    if (index > 0) linkSync(first, path);
    else {
      writeFileSync(path, "x");
      utimesSync(path, old, old);
      first = path;
    }
    return path;
  });
}

async function allGone(pids: readonly number[]): Promise<void> {
  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 10_000 });
}

describe.concurrent("interruption", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)(
    "row 31: %s to the process group exits with %i, leaves no process and stores nothing",
    async (signal, code) => {
      const { pid, pids, ended } = await start(`after-${signal}`, 3);
      expect(pids.filter(isAlive)).toHaveLength(3);
      process.kill(-pid, signal);
      const run = await ended;
      expect(run.code, run.stderr).toBe(code);
      await allGone(pids);
      expect(own.count(`../after-${signal}`)).toBe(0);
      own.write(`../pids-${signal}.short`, "");
      const report = await runJson(own, [signal]);
      expect(report.tasks[signal]?.cache.status).toBe("miss");
      expect(own.count(`../${signal}`)).toBe(2);
    },
  );

  it("row 31: a signal to cuenv alone ends its tasks too", async () => {
    const { pid, pids, ended } = await start("alone", 3);
    process.kill(pid, "SIGINT");
    expect((await ended).code).toBe(130);
    await allGone(pids);
  });

  it("row 31: a second Ctrl-C kills what does not listen to the first", async () => {
    const { pid, pids, ended } = await start("stubborn", 1);
    process.kill(-pid, "SIGINT");
    const isStubborn = new Promise<boolean>((resolve) => {
      setTimeout(() => resolve(pids.some(isAlive)), 300);
    });
    expect(await isStubborn).toBe(true);
    // Within 250 ms two signals are one request, passed on by npm or its kin; on a busy machine the first may be seen late.
    const again = setInterval(() => isAlive(pid) && process.kill(-pid, "SIGINT"), 400);
    const since = performance.now();
    const { code } = await ended.finally(() => clearInterval(again));
    expect(code).toBe(130);
    expect(performance.now() - since, "before the grace of 10 s is over").toBeLessThan(8_000);
    await allGone(pids);
  });

  it("row 31: Ctrl-C during the eviction at the end ends it, and damages nothing", async () => {
    const full = createSandbox({
      "env.cue": cue({
        config: { cache: { maxAge: "1d" } },
        tasks: { t: { command: "echo x", inputs: [] } },
      }),
    });
    const blobs = manyOldBlobs(full.cacheDir, 20_000);
    let pid = 0;
    const ended = full.cuenv(["task", "t"], { detached: true, onStart: (id) => (pid = id) });
    await vi.waitUntil(() => existsSync(`${full.cacheDir}/v1/sweep.lock`), {
      timeout: 40_000,
      interval: 1,
    });
    process.kill(-pid, "SIGINT");
    expect(await ended).toMatchObject({ code: 130, stdout: "x\n" });
    expect(blobs.filter((path) => existsSync(path)).length).toBeGreaterThan(0);
    expect(existsSync(`${full.cacheDir}/v1/sweep.lock`)).toBe(false);
    expect((await full.cuenv(["task", "t"])).code).toBe(0);
    expect(await full.cuenv(["task", "t", "--force"])).toMatchObject({ code: 0, stdout: "x\n" });
    expect(blobs.filter((path) => existsSync(path))).toEqual([]);
  });

  it("row 31: nobody waits for a cuenv that was killed, and nothing of it is served", async () => {
    const { pid, pids, ended } = await start("killed", 3);
    process.kill(pid, "SIGKILL");
    expect((await ended).signal).toBe("SIGKILL");
    for (const each of pids) if (isAlive(each)) process.kill(each, "SIGKILL");
    own.write("../pids-killed.short", "");
    expect(await statusOf(own, "killed")).toBe("miss");
    expect(await statusOf(own, "killed")).toBe("hit");
    expect((await own.cuenv(["cache", "verify"])).code).toBe(0);
  });
});
