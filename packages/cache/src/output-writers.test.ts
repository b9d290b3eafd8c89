import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processIdentity } from "@cuenv/cas";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
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
    const build = one.begin("build");
    const test = one.begin("test");
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
    const first = one.begin("build");
    const second = other.begin("build");
    expect([first.disturbed([]), second.disturbed([])]).toEqual(["build", "build"]);
  });

  it("sees a run that ended before this one does, also when its process is gone by then", () => {
    const one = open();
    const first = one.begin("build");
    const other = open();
    other.begin("build").end();
    other.close();
    expect(first.disturbed([])).toBe("build");
    first.end();
    one.close();
    open().begin("x");
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("sees a run that began before this one, and ended", () => {
    const other = open();
    const before = other.begin("build");
    const run = open().begin("build");
    before.end();
    expect(run.disturbed([])).toBe("build");
  });

  it("has nothing to do with runs that ended before, nor with those of other tasks", () => {
    const other = open();
    other.begin("build").end();
    other.restoring("build", "k");
    const running = other.begin("lint");
    const run = open().begin("build");
    other.restoring("docs", "k");
    running.end();
    expect(run.disturbed([{ task: "gen", key: "k" }])).toBeUndefined();
  });

  it("sees outputs that are put in place while it runs; of what it reads, only another result's", () => {
    const other = open();
    const run = open().begin("build");
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
    const run = open().begin("build");
    other.begin("gen").end();
    expect(run.disturbed([{ task: "gen", key: "same" }])).toBe("gen");
  });

  it("passes over what a killed process was running when this one began, and removes it", () => {
    const here = processIdentity();
    const child = spawnSync(process.execPath, ["-e", ""]);
    mkdirSync(folder, { recursive: true });
    const killed = here.replace(`.${process.pid}.`, `.${child.pid}.`);
    writeFileSync(join(folder, killed), '["run","build"]\n');
    const one = open();
    const run = one.begin("build");
    expect(run.disturbed([])).toBeUndefined();
    run.end();
    one.close();
    expect(existsSync(folder)).toBe(false);
  });

  it("is disturbed by what it cannot understand, and by what it wrote itself being gone", () => {
    const run = open().begin("build");
    for (const text of [
      "nonsense",
      '["run"',
      '["run","a","b"]',
      '["restore","a"]',
      "{}",
      "[1,2]",
    ]) {
      writeFileSync(join(folder, processIdentity()), text);
      expect(run.disturbed([]), text).toBe("build");
      rmSync(folder, { recursive: true });
      expect(run.disturbed([])).toBe("build");
      mkdirSync(folder);
    }
  });

  it("is alone where nothing can be written", () => {
    writeFileSync(join(base, "v1"), "");
    const one = open();
    const run = one.begin("build");
    one.restoring("build", "k");
    expect(run.disturbed([])).toBeUndefined();
    run.end();
    one.close();
  });
});
