import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CuenvError } from "@cuenv/errors";
import { describe, expect, it, onTestFinished } from "vitest";
import { collecting, isRunning, plainEnvironment, temporaryFolder } from "../test/project.ts";
import { Interruption, runProcess } from "./index.ts";

function shell(script: string, ...args: readonly string[]): readonly string[] {
  return ["sh", "-c", script, "sh", ...args];
}

/** Waits for a file that a command writes pids to, one per line. */
async function pidsIn(file: string, count: number): Promise<number[]> {
  for (;;) {
    const pids = existsSync(file)
      ? readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number)
      : [];
    if (pids.length >= count) return pids;
    await sleep(5);
  }
}

describe("runProcess: how it ended", () => {
  it("passes the exit code through (row 31)", async () => {
    for (const code of [1, 2, 42, 255]) {
      const outcome = await runProcess(collecting(shell(`exit ${code}`)).request);
      expect(outcome).toMatchObject({ status: "failed", exitCode: code });
    }
    const outcome = await runProcess(collecting(["true"]).request);
    expect(outcome).toMatchObject({ status: "succeeded", exitCode: 0, outputComplete: true });
  });

  it("reports a signal as 128+n (row 41)", async () => {
    const outcome = await runProcess(collecting(shell("kill -KILL $$")).request);
    expect(outcome).toMatchObject({ status: "signalled", signal: "SIGKILL", exitCode: 137 });
  });

  it("reports what is not there as 127, and says which: program, interpreter or folder", async () => {
    const missing = await runProcess(collecting(["no-such-program-of-ours"]).request);
    expect(missing).toMatchObject({ status: "notFound", exitCode: 127 });
    expect(missing).toHaveProperty("message", expect.stringContaining("in PATH"));
    expect(missing).toHaveProperty("hint", "install it, or correct the name");
    const line = await runProcess(collecting(["tsc -b", "--pretty"]).request);
    expect(line).toHaveProperty("hint", expect.stringContaining("`args`"));

    const script = join(temporaryFolder(), "script");
    writeFileSync(script, "#!/no/such/interpreter\n");
    chmodSync(script, 0o755);
    const interpreter = await runProcess(collecting([script]).request);
    expect(interpreter).toHaveProperty("message", expect.stringContaining("interpreter"));

    const folder = await runProcess(collecting(["true"], { cwd: "/no/such/folder" }).request);
    expect(folder).toMatchObject({ status: "notFound", exitCode: 127 });
    expect(folder).toHaveProperty(
      "message",
      expect.stringContaining('"/no/such/folder" does not exist'),
    );
  });

  it("reports as 127, as a shell does, what the system may not look for in a folder of PATH, and as 126 what is there", async () => {
    const folder = temporaryFolder();
    // Of a folder with the program's name the system says what it says of a folder that it may not look into.
    mkdirSync(join(folder, "a-tool"));
    const env = { ...plainEnvironment(), PATH: `${folder}:${process.env["PATH"]}` };
    const missing = await runProcess(collecting(["a-tool"], { env }).request);
    expect(missing).toMatchObject({ status: "notFound", exitCode: 127 });
    expect(missing).toHaveProperty("message", expect.stringContaining("in PATH"));
    writeFileSync(join(folder, "tool"), "no program");
    const there = await runProcess(collecting(["tool"], { env }).request);
    expect(there).toMatchObject({ status: "notExecutable", exitCode: 126 });
  });

  it("reports what cannot be executed as 126", async () => {
    const file = join(temporaryFolder(), "data");
    writeFileSync(file, "no program");
    const outcome = await runProcess(collecting([file]).request);
    expect(outcome).toMatchObject({
      status: "notExecutable",
      exitCode: 126,
      hint: expect.stringContaining("chmod"),
    });
  });

  it("reports arguments that are longer than the system takes as 126", async () => {
    const outcome = await runProcess(collecting(["true", "x".repeat(4 * 1024 * 1024)]).request);
    expect(outcome).toMatchObject({ status: "notExecutable", exitCode: 126 });
  });

  it("throws for a NUL byte in an argument", async () => {
    const run = runProcess(collecting(["true", "a\0b"]).request);
    await expect(run).rejects.toThrow(CuenvError);
    await expect(run).rejects.toMatchObject({ code: "RUN_ENVIRONMENT" });
  });

  it("looks the program up in the PATH of the given environment, which is the whole environment", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "our-tool"), "#!/bin/sh\n/usr/bin/env\n");
    chmodSync(join(folder, "our-tool"), 0o755);
    const run = collecting(["our-tool"], { env: { PATH: folder, ONLY: "this" } });
    await runProcess(run.request);
    const variables = run
      .stdout()
      .toString()
      .trim()
      .split("\n")
      .filter((line) => !/^(_|PWD|SHLVL|OLDPWD)=/.test(line));
    expect(variables.toSorted()).toEqual(["ONLY=this", `PATH=${folder}`]);
  });
});

describe("runProcess: output", () => {
  it("gives each stream its own bytes, NUL and invalid UTF-8 among them (row 46)", async () => {
    const run = collecting(shell(String.raw`printf '\000\377\303\n'; printf 'e\000' >&2`));
    await runProcess(run.request);
    expect([...run.stdout()]).toEqual([0, 255, 195, 10]);
    expect([...run.stderr()]).toEqual([101, 0]);
  });

  it("brings 10 MB through whole and in order, whether the sink is fast or slow", async () => {
    for (const slow of [false, true]) {
      const chunks: Uint8Array[] = [];
      let overlapping = 0;
      const { request } = collecting(["seq", "-f", "%07.0f", "0", "1249999"], {
        async stdout(chunk) {
          overlapping += 1;
          expect(overlapping).toBe(1);
          chunks.push(chunk);
          if (slow && chunks.length % 16 === 0) await sleep(1);
          overlapping -= 1;
        },
      });
      const outcome = await runProcess(request);
      expect(outcome).toMatchObject({ status: "succeeded", outputComplete: true });
      const bytes = Buffer.concat(chunks);
      expect(bytes.length).toBe(10_000_000);
      const lines = bytes.toString("latin1").split("\n");
      expect(lines.findIndex((line, index) => index < 1_250_000 && Number(line) !== index)).toBe(
        -1,
      );
    }
  });

  it("holds a command back whose sink is slow", async () => {
    const marker = join(temporaryFolder(), "done");
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { request } = collecting(shell('head -c 4000000 /dev/zero; touch "$1"', marker), {
      stdout: () => held,
    });
    const outcome = runProcess(request);
    await sleep(150);
    expect(existsSync(marker)).toBe(false);
    release();
    await outcome;
    expect(existsSync(marker)).toBe(true);
  });

  it("loses nothing of a command that ended before its slow sink took it", async () => {
    let bytes = 0;
    const { request } = collecting(["head", "-c", "60000", "/dev/zero"], {
      drainMs: 20,
      async stdout(chunk) {
        await sleep(100);
        bytes += chunk.length;
      },
    });
    const outcome = await runProcess(request);
    expect(outcome).toMatchObject({ outputComplete: true });
    expect(bytes).toBe(60_000);
  });

  it("is not held by a process left behind that keeps the pipe open, and says that output may be cut", async () => {
    const pidFile = join(temporaryFolder(), "pid");
    const run = collecting(shell('sleep 60 & echo $! > "$1"; echo said', pidFile), { drainMs: 50 });
    const outcome = await runProcess(run.request);
    const [left = 0] = await pidsIn(pidFile, 1);
    onTestFinished(() => void process.kill(left, "SIGKILL"));
    expect(outcome).toMatchObject({ status: "succeeded", outputComplete: false });
    expect(run.stdout().toString()).toBe("said\n");
    // It was meant to stay, as it would in a shell.
    expect(isRunning(left)).toBe(true);
  });

  it("is not held by a process left behind that never stops writing", async () => {
    const pidFile = join(temporaryFolder(), "pid");
    const run = collecting(
      shell('(while :; do echo more || exit; sleep 0.01; done) & echo $! > "$1"', pidFile),
      { drainMs: 50 },
    );
    const outcome = await runProcess(run.request);
    expect(outcome).toMatchObject({ status: "succeeded", outputComplete: false });
    const [left = 0] = await pidsIn(pidFile, 1);
    while (isRunning(left)) await sleep(5); // its pipe is broken now
  });
});

describe("runProcess: timeout and abort", () => {
  it("ends a command at its timeout with 124, and what it had written is there", async () => {
    const run = collecting(shell("echo before; sleep 60"), { timeoutMs: 100 });
    const outcome = await runProcess(run.request);
    expect(outcome).toMatchObject({ status: "timedOut", exitCode: 124, timeoutMs: 100 });
    expect(run.stdout().toString()).toBe("before\n");
  });

  it("kills grandchildren, too, before it returns", async () => {
    const pidFile = join(temporaryFolder(), "pids");
    const script = 'sh -c "sleep 60 & echo \\$! >> \\"$1\\"; sleep 60" & echo $! >> "$1"; sleep 60';
    const { request } = collecting(shell(script, pidFile), { timeoutMs: 300 });
    const outcome = runProcess(request);
    const pids = await pidsIn(pidFile, 2);
    expect(pids.map(isRunning)).toEqual([true, true]);
    expect(await outcome).toMatchObject({ status: "timedOut" });
    expect(pids.map(isRunning)).toEqual([false, false]);
  });

  it("kills what left the process group", async () => {
    const pidFile = join(temporaryFolder(), "pids");
    const program = `const child = require("child_process").spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
      require("fs").writeFileSync(process.argv[1], child.pid + "\\n"); setTimeout(() => {}, 60000);`;
    const controller = new AbortController();
    const { signal } = controller;
    const { request } = collecting([process.execPath, "-e", program, pidFile], { signal });
    const outcome = runProcess(request);
    const [stray = 0] = await pidsIn(pidFile, 1);
    expect(isRunning(stray)).toBe(true);
    controller.abort();
    expect(await outcome).toMatchObject({ status: "cancelled" });
    expect(isRunning(stray)).toBe(false);
  });

  it("kills with SIGKILL after the grace what ignores SIGTERM, be it the command or only its child", async () => {
    const pidFile = join(temporaryFolder(), "pids");
    const stubborn = collecting(
      shell('trap "" TERM; echo $$ > "$1"; while :; do sleep 0.05; done', pidFile),
      { timeoutMs: 100, graceMs: 150 },
    );
    expect(await runProcess(stubborn.request)).toMatchObject({ status: "timedOut" });
    expect((await pidsIn(pidFile, 1)).map(isRunning)).toEqual([false]);

    const childFile = join(temporaryFolder(), "pids");
    const script =
      'sh -c "trap \\"\\" TERM; echo \\$\\$ > \\"$1\\"; while :; do sleep 0.05; done" & wait';
    const child = collecting(shell(script, childFile), { timeoutMs: 200, graceMs: 150 });
    expect(await runProcess(child.request)).toMatchObject({ status: "timedOut" });
    expect((await pidsIn(childFile, 1)).map(isRunning)).toEqual([false]);
  });

  it("ends what a command that fails leaves behind, where it is asked to, and never what one that succeeds does", async () => {
    for (const [exitCode, endsLeftovers, isLeft] of [
      [1, true, false],
      [1, false, true],
      [0, true, true],
    ] as const) {
      const pidFile = join(temporaryFolder(), "pids");
      const script = 'sleep 60 > /dev/null 2>&1 & echo $! > "$1"; exit "$2"';
      const { request } = collecting(shell(script, pidFile, String(exitCode)), { endsLeftovers });
      await runProcess(request);
      const [left = 0] = await pidsIn(pidFile, 1);
      expect(isRunning(left)).toBe(isLeft);
      if (isLeft) process.kill(left, "SIGKILL");
    }
  });

  it("gives a command the grace to clean up", async () => {
    const run = collecting(
      shell('trap "echo cleaned; exit 0" TERM; while :; do sleep 0.01; done'),
      { timeoutMs: 200 },
    );
    expect(await runProcess(run.request)).toMatchObject({ status: "timedOut", exitCode: 124 });
    expect(run.stdout().toString()).toContain("cleaned");
  });

  it("cancels on abort, with the exit code of the signal that is its reason", async () => {
    const controller = new AbortController();
    const outcome = runProcess(collecting(["sleep", "60"], { signal: controller.signal }).request);
    await sleep(50);
    controller.abort(new Interruption("SIGTERM"));
    expect(await outcome).toMatchObject({ status: "cancelled", exitCode: 143 });
  });

  it("does not start a command after an abort", async () => {
    const marker = join(temporaryFolder(), "ran");
    const outcome = await runProcess(
      collecting(["touch", marker], { signal: AbortSignal.abort() }).request,
    );
    expect(outcome).toMatchObject({ status: "cancelled", exitCode: 130 });
    expect(existsSync(marker)).toBe(false);
  });

  it("is not held after an abort by a sink that never takes anything", async () => {
    const controller = new AbortController();
    const { request } = collecting(["yes"], {
      signal: controller.signal,
      drainMs: 50,
      stdout: () => new Promise<void>(() => undefined),
    });
    const outcome = runProcess(request);
    await sleep(50);
    controller.abort();
    expect(await outcome).toMatchObject({ status: "cancelled" });
  });

  it("cancels at fifty points of a command's life and never leaves a process behind", async () => {
    const folder = temporaryFolder();
    for (let point = 0; point < 50; point += 1) {
      const pidFile = join(folder, String(point));
      const controller = new AbortController();
      const { request } = collecting(
        shell('echo $$ >> "$1"; sleep 30 & echo $! >> "$1"; wait', pidFile),
        {
          signal: controller.signal,
          env: plainEnvironment(),
        },
      );
      const outcome = runProcess(request);
      await sleep(point / 5);
      controller.abort();
      expect(await outcome).toMatchObject({ status: "cancelled" });
      const pids = existsSync(pidFile)
        ? readFileSync(pidFile, "utf8").split("\n").filter(Boolean).map(Number)
        : [];
      expect(pids.filter(isRunning)).toEqual([]);
    }
  });
});
