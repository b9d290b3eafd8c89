import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { isRunning, temporaryFolder } from "../test/project.ts";

const fixture = join(import.meta.dirname, "../test/run-interruptible.ts");
/** Writes its pid and that of a child, then waits. */
const obedient = 'sleep 60 & printf "%s\\n" $$ $! > "$1.new"; mv "$1.new" "$1"; wait';
const stubborn = `trap "" TERM; ${obedient.replace("; wait", "; while :; do sleep 0.05; done")}`;

interface Run {
  readonly child: ChildProcess;
  readonly exit: Promise<unknown[]>;
  readonly pids: readonly number[];
  readonly outcomeFile: string;
}

async function start(script: string, ...more: readonly string[]): Promise<Run> {
  const file = join(temporaryFolder(), "pids");
  const child = spawn(process.execPath, [fixture, script, file, ...more], { stdio: "ignore" });
  const exit = once(child, "exit");
  while (!existsSync(file)) await sleep(5);
  const pids = readFileSync(file, "utf8").trim().split("\n").map(Number);
  expect(pids.map(isRunning)).toEqual([true, true]);
  return { child, exit, pids, outcomeFile: `${file}.outcome` };
}

describe("installSignalHandling", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGQUIT", 131],
  ] as const)(
    "ends a run at the first %s with %i, and nothing is left behind (row 41)",
    async (signal, code) => {
      const run = await start(obedient);
      run.child.kill(signal);
      expect(await run.exit).toEqual([code, null]);
      expect(run.pids.map(isRunning)).toEqual([false, false]);
      expect(readFileSync(run.outcomeFile, "utf8")).toBe("cancelled");
    },
  );

  it("kills what does not end at the second signal, at once", async () => {
    const run = await start(stubborn);
    run.child.kill("SIGINT");
    await sleep(400);
    expect(run.child.exitCode).toBeNull();
    run.child.kill("SIGINT");
    expect(await run.exit).toEqual([130, null]);
    while (run.pids.some(isRunning)) await sleep(5); // SIGKILL needs no consent, but a moment
    expect(existsSync(run.outcomeFile)).toBe(false);
  });

  it("takes a signal that a package manager repeats for one", async () => {
    const run = await start(stubborn);
    run.child.kill("SIGINT");
    await sleep(60);
    run.child.kill("SIGINT");
    await sleep(150);
    expect(run.child.exitCode).toBeNull();
    expect(isRunning(run.pids[0] ?? 0)).toBe(true);
    await sleep(200);
    run.child.kill("SIGTERM");
    expect(await run.exit).toEqual([143, null]);
  });

  it("leaves nothing behind when cuenv itself crashes", async () => {
    const run = await start(stubborn, "500");
    expect(await run.exit).toEqual([1, null]);
    while (run.pids.some(isRunning)) await sleep(5);
  });
});
