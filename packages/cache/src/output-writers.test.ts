import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processIdentity } from "@cuenv/cas";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createOutputWriters, type OutputWriters } from "./output-writers.ts";

let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "cuenv-writers-"));
  folder = join(base, "v1/writers/workspace");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const open = (): OutputWriters => createOutputWriters(folder);

describe("who writes outputs", () => {
  it("is nobody else for one process, which leaves nothing", () => {
    const one = open();
    const build = one.begin("build", true);
    const test = one.begin("test", true);
    one.restoring("lint", "k");
    expect([build.disturbed([]), test.disturbed([{ task: "build", key: "k" }])]).toEqual([
      undefined,
      undefined,
    ]);
    build.end();
    test.end();
    one.close();
    expect(existsSync(folder)).toBe(false);
  });

  it("makes nothing for who writes nothing", () => {
    open().close();
    expect(existsSync(folder)).toBe(false);
  });

  it("sees, of two runs of a task that overlap, the other one from both", () => {
    const [one, other] = [open(), open()];
    const first = one.begin("build", true);
    const second = other.begin("build", true);
    expect([first.disturbed([]), second.disturbed([])]).toEqual(["build", "build"]);
  });

  it("sees a run that ended before this one does, also when its process is gone by then", () => {
    const one = open();
    const first = one.begin("build", true);
    const other = open();
    other.begin("build", true).end();
    other.close();
    expect([first.disturbed([]), first.isForgotten()]).toEqual(["build", false]);
    first.end();
    one.close();
    open().begin("x", true);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("sees a run that began before this one, and ended", () => {
    const other = open();
    const before = other.begin("build", true);
    const run = open().begin("build", true);
    before.end();
    expect(run.disturbed([])).toBe("build");
  });

  it("has nothing to do with runs that ended before, nor with those of other tasks", () => {
    const other = open();
    other.begin("build", true).end();
    other.restoring("build", "k");
    const running = other.begin("lint", true);
    const run = open().begin("build", true);
    other.restoring("docs", "k");
    running.end();
    expect(run.disturbed([{ task: "gen", key: "k" }])).toBeUndefined();
  });

  it("sees outputs that are put in place while it runs; of what it reads, only another result's", () => {
    const other = open();
    const run = open().begin("build", true);
    other.restoring("gen", "same");
    expect(run.disturbed([{ task: "gen", key: "same" }])).toBeUndefined();
    expect(run.disturbed([{ task: "gen", key: undefined }])).toBe("gen");
    other.restoring("gen", "another");
    expect(run.disturbed([{ task: "gen", key: "same" }])).toBe("gen");
    other.restoring("build", "same");
    expect(run.disturbed([])).toBe("build");
  });

  it("sees that what it reads is made anew, to the same or not", () => {
    const other = open();
    const run = open().begin("build", true);
    other.begin("gen", true).end();
    expect(run.disturbed([{ task: "gen", key: "same" }])).toBe("gen");
  });

  it("passes over what a killed process was running when this one began, and removes it", () => {
    write(killedProcess(), [{ kind: "run", task: "build", since: 1 }]);
    const one = open();
    const run = one.begin("build", true);
    expect(run.disturbed([])).toBeUndefined();
    run.end();
    one.close();
    expect(existsSync(folder)).toBe(false);
  });

  it("is disturbed by what it cannot understand, and by what it wrote itself being gone", () => {
    const run = open().begin("build", true);
    for (const text of [
      "nonsense",
      '{"kind":"run","task":"x","since":1',
      '{"kind":"run","task":"x"}',
      '{"kind":"read","task":"x","since":"1"}',
      '{"kind":"restore","task":"x"}',
      '{"kind":"start","task":"x","group":1}',
      '{"kind":"end"}',
      '{"kind":"else","task":"x"}',
      "{}",
      "[1,2]",
      "null",
    ]) {
      writeFileSync(join(folder, processIdentity()), text);
      expect(run.disturbed([]), text).toBe("build");
      rmSync(folder, { recursive: true });
      expect([run.disturbed([]), run.isForgotten()]).toEqual(["build", true]);
      mkdirSync(folder);
    }
  });

  it("is alone where nothing can be written", () => {
    writeFileSync(join(base, "v1"), "");
    const one = open();
    const run = one.begin("build", true);
    one.restoring("build", "k");
    expect(run.disturbed([])).toBeUndefined();
    run.end();
    one.close();
  });

  it("is nobody for tasks that write nothing, and only read the same outputs", () => {
    const [one, other] = [open(), open()];
    const first = one.begin("test", false);
    const second = other.begin("test", false);
    const read = [{ task: "build", key: "k" }];
    expect([first.disturbed(read), second.disturbed(read)]).toEqual([undefined, undefined]);
    open().begin("build", true);
    expect([first.disturbed(read), second.disturbed(read)]).toEqual(["build", "build"]);
  });

  it("keeps what was written for who only reads", () => {
    const test = open().begin("test", false);
    const other = open();
    other.begin("build", true).end();
    other.close();
    expect(test.disturbed([{ task: "build", key: "k" }])).toBe("build");
  });

  it("sees what was removed and made again, also when it says less than it did", () => {
    const other = open();
    for (let runs = 0; runs < 5; runs += 1) other.begin("lint", true).end();
    const run = open().begin("build", true);
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (readFileSync(path, "utf8").includes("lint")) rmSync(path);
    }
    other.restoring("build", "k");
    expect(run.disturbed([])).toBe("build");
  });

  it("does not keep what ended before all that runs began", () => {
    const long = open().begin("long", true);
    const ended = killedProcess();
    write(
      ended,
      [
        { kind: "run", task: "x", since: 1 },
        { kind: "end", task: "x" },
      ],
      3600,
    );
    const other = open();
    other.begin("short", true).end();
    other.close();
    expect(readdirSync(folder)).not.toContain(ended);
    expect(readdirSync(folder)).toHaveLength(2);
    long.end();
  });
});

describe("a process that was killed", () => {
  it("goes on writing as long as what it started does", async () => {
    const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
    const group = child.pid ?? 0;
    const killed = killedProcess();
    write(killed, [
      { kind: "run", task: "build", since: 1 },
      { kind: "start", task: "build", group },
    ]);
    const one = open();
    const run = one.begin("build", true);
    expect(run.disturbed([])).toBe("build");
    process.kill(-group, "SIGKILL");
    await once(child, "exit");
    // It was running when this one began.
    expect(run.disturbed([])).toBe("build");
    run.end();
    const next = one.begin("build", true);
    expect(next.disturbed([])).toBeUndefined();
    next.end();
    one.close();
    expect(existsSync(folder)).toBe(false);
  });

  it("does not go on where another process has the number of what it started by now", () => {
    const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
    const group = child.pid ?? 0;
    const run = { kind: "run", task: "build", since: 1 };
    write(killedProcess(), [run, { kind: "start", task: "build", group, begun: "1" }]);
    expect(open().begin("build", true).disturbed([])).toBeUndefined();
    process.kill(-group, "SIGKILL");
  });

  it("in another container, or before the machine started anew, is passed over after a minute", () => {
    const elsewhere = `zzzzzzzz${processIdentity().replace(/^\w+/, "")}`;
    const lines = [
      { kind: "run", task: "build", since: 1 },
      { kind: "start", task: "build", group: process.pid },
    ];
    write(elsewhere, lines, 30);
    expect(open().begin("build", true).disturbed([])).toBe("build");
    rmSync(folder, { recursive: true });
    write(elsewhere, lines, 90);
    const run = open().begin("build", true);
    expect(run.disturbed([])).toBeUndefined();
    // It is there after all.
    write(elsewhere, [...lines, { kind: "restore", task: "build", key: "k" }]);
    expect(run.disturbed([])).toBe("build");
  });

  it("is told from one that runs a task for long, which shows that it is there", () => {
    vi.useFakeTimers();
    try {
      const run = open().begin("build", true);
      const [name = ""] = readdirSync(folder);
      const path = join(folder, name);
      utimesSync(path, 1, 1);
      vi.advanceTimersByTime(15_000);
      expect(statSync(path).mtimeMs).toBeGreaterThan(10_000);
      rmSync(path);
      vi.advanceTimersByTime(15_000);
      run.end();
      utimesSync(path, 1, 1);
      vi.advanceTimersByTime(60_000);
      expect(statSync(path).mtimeMs).toBe(1000);
    } finally {
      vi.useRealTimers();
    }
  });
});

/** The name of a process that has ended. */
function killedProcess(): string {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  return processIdentity().replace(`.${process.pid}.`, `.${pid}.`);
}

function write(name: string, lines: readonly object[], secondsAgo = 0): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const seconds = Date.now() / 1000 - secondsAgo;
  utimesSync(join(folder, name), seconds, seconds);
}
