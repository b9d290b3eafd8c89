import { spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readStatistics } from "./read-statistics.ts";
import { appendRunRecord, createRunCounter } from "./run-statistics.ts";
import { tidyStatistics } from "./tidy-statistics.ts";

const hour = 60 * 60 * 1000;
const day = 24 * hour;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stats-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function runAt(at: number, project = "/w/app"): void {
  const counter = createRunCounter(() => at, project);
  counter.count({ type: "lookup", task: "build", key: "k", durationMs: 4 });
  counter.count({ type: "hit", task: "build", key: "k", tier: "disk", savedMs: 1000 });
  counter.count({ type: "lookup", task: "__proto__", key: "l", durationMs: 2 });
  counter.count({ type: "miss", task: "__proto__", key: "l", reason: "absent" });
  counter.count({ type: "stored", task: "__proto__", key: "l", durationMs: 10 });
  counter.count({ type: "restored", task: "build", files: 2, bytes: 50, durationMs: 1 });
  expect(appendRunRecord(folder, counter.record())).not.toBe("failed");
}

const statsFolder = (): string => join(folder, "v1/stats");
const files = (): string[] => readdirSync(statsFolder()).toSorted();
const nameOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

describe("statistics", () => {
  it("row 33: are summed over runs of separate processes", () => {
    const now = Date.now();
    runAt(now - 2000);
    runAt(now - 1000);
    const sum = readStatistics(folder, { days: 30, now });
    expect(sum).toMatchObject({
      runs: 2,
      hits: 2,
      misses: 2,
      stored: 2,
      savedMs: 2000,
      restoredBytes: 100,
    });
    expect(sum).toMatchObject({
      hitRate: 0.5,
      missRate: 0.5,
      averageLookupMs: 3,
      averageStoreMs: 10,
    });
    expect(sum.memoryBytes).toBeGreaterThan(1_000_000);
    expect(sum.tasks).toContainEqual({
      name: "build",
      project: "/w/app",
      hits: 2,
      misses: 0,
      savedMs: 2000,
      hitRate: 1,
    });
    expect(sum.tasks.map(({ name }) => name).toSorted()).toEqual(["__proto__", "build"]);
  });

  it("keep tasks of one name apart by project", () => {
    const now = Date.now();
    runAt(now, "/w/app");
    runAt(now, "/w/lib");
    const builds = readStatistics(folder, { days: 30, now }).tasks.filter(
      ({ name }) => name === "build",
    );
    expect(builds.map(({ project, hits }) => [project, hits])).toEqual([
      ["/w/app", 1],
      ["/w/lib", 1],
    ]);
  });

  it("say undefined, not zero or NaN, for rates of nothing", () => {
    expect(readStatistics(folder, { days: 30 })).toMatchObject({
      runs: 0,
      memoryBytes: 0,
      hitRate: undefined,
      missRate: undefined,
      averageLookupMs: undefined,
    });
  });

  it("pass over a torn line and foreign files", () => {
    const now = Date.now();
    runAt(now);
    const [file = ""] = files();
    const torn = '\n{"at": 12, "hits":\n{"at":"x"}\n[]\nnull\n1\n"x"\n';
    appendFileSync(join(statsFolder(), file), torn);
    writeFileSync(join(statsFolder(), "notes.txt"), "mine");
    expect(readStatistics(folder, { days: 30, now }).runs).toBe(1);
  });

  it("lose the torn line alone, not the run that is appended after it", () => {
    const now = Date.now();
    runAt(now);
    runAt(now);
    const path = join(statsFolder(), files()[0] ?? "");
    truncateSync(path, statSync(path).size - 40);
    runAt(now);
    expect(readStatistics(folder, { days: 30, now }).runs).toBe(2);
  });

  it("say which is the first of a day", () => {
    const length = 24 * 60 * 60 * 1000;
    const at = Date.UTC(2026, 10, 29, 12);
    const append = (time: number) => {
      const counter = createRunCounter(() => time);
      counter.count({ type: "miss", task: "t", key: "k", reason: "absent" });
      return appendRunRecord(folder, counter.record());
    };
    const times = [at, at + 1, at + length, at + length + 1];
    expect(times.map(append)).toEqual(["firstOfDay", "appended", "firstOfDay", "appended"]);
  });

  it("stop when a day's file is full, and say so", () => {
    const now = Date.now();
    mkdirSync(statsFolder(), { recursive: true });
    const path = join(statsFolder(), `${nameOf(now)}.jsonl`);
    writeFileSync(path, "");
    truncateSync(path, 64 * 1024 * 1024);
    const counter = createRunCounter(() => now);
    counter.count({ type: "miss", task: "t", key: "k", reason: "absent" });
    expect(appendRunRecord(folder, counter.record())).toBe("failed");
  });

  it("of a run that never asked the cache are not written", () => {
    expect(appendRunRecord(folder, createRunCounter().record())).toBe("none");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("row 33: lose no run of concurrent processes, whatever the length of their lines", async () => {
    const module = fileURLToPath(new URL("run-statistics.ts", import.meta.url));
    const source = `
      import { appendRunRecord, createRunCounter } from ${JSON.stringify(module)};
      for (let run = 0; run < 100; run += 1) {
        const counter = createRunCounter(Date.now, "/w/app");
        for (let task = 0; task < run; task += 1)
          counter.count({ type: "hit", task: "task-with-a-long-name-" + task, key: "k", tier: "disk", savedMs: 1 });
        counter.count({ type: "miss", task: "t", key: "k", reason: "absent" });
        if (appendRunRecord(process.argv[1], counter.record()) === "failed") process.exit(1);
      }`;
    const codes = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise((resolve) => {
            const args = ["--input-type=module", "-e", source, folder];
            spawn(process.execPath, args, { stdio: "inherit" }).on("close", resolve);
          }),
      ),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(readStatistics(folder, { days: 30 })).toMatchObject({ runs: 400, misses: 400 });
  });
});

describe("statistics over time", () => {
  it("row 48: have rates of the last hour, day and week, and of what was asked for", () => {
    const now = Date.now();
    for (const age of [0.5 * hour, 2 * hour, 3 * day, 20 * day]) runAt(now - age);
    const sum = readStatistics(folder, { days: 30, now, sinceMs: now - 4 * day });
    expect(sum.windows.map(({ name, runs }) => [name, runs])).toEqual([
      ["hour", 1],
      ["day", 2],
      ["week", 3],
      ["all", 4],
    ]);
    expect(sum.windows[0]).toMatchObject({ hits: 1, misses: 1, hitRate: 0.5 });
    expect(sum.runs).toBe(3);
    expect(readStatistics(folder, { days: 1, now }).windows.at(-1)).toMatchObject({ runs: 2 });
  });

  it("row 17: are kept for the configured days, and no longer", () => {
    const now = Date.now();
    runAt(now - 40 * day);
    runAt(now);
    expect(readStatistics(folder, { days: 30, now }).runs).toBe(1);
    expect(readStatistics(folder, { days: 60, now }).runs).toBe(2);
    tidyStatistics(folder, 30, now);
    expect(files()).toEqual([`${nameOf(now)}.jsonl`]);
    expect(readStatistics(folder, { days: 60, now }).runs).toBe(1);
  });

  it("are the same when past days were summed up by hours, in a fraction of the space", () => {
    const now = Date.now();
    const start = Math.floor((now - 5 * day) / day) * day;
    for (let run = 0; run < 200; run += 1) runAt(start + run * 60_000, `/w/${run % 2}`);
    runAt(now);
    const before = readStatistics(folder, { days: 30, now });
    const size = statSync(join(statsFolder(), `${nameOf(start)}.jsonl`)).size;
    tidyStatistics(folder, 30, now);
    expect(files()).toEqual([`${nameOf(start)}.hours.jsonl`, `${nameOf(now)}.jsonl`]);
    expect(statSync(join(statsFolder(), `${nameOf(start)}.hours.jsonl`)).size).toBeLessThan(
      size / 10,
    );
    expect(readStatistics(folder, { days: 30, now })).toEqual(before);
    const summed = readFileSync(join(statsFolder(), `${nameOf(start)}.hours.jsonl`));
    tidyStatistics(folder, 30, now);
    expect(readFileSync(join(statsFolder(), `${nameOf(start)}.hours.jsonl`))).toEqual(summed);
  });

  it("count a day once that a killed process left in both forms", () => {
    const now = Date.now();
    runAt(now - 5 * day);
    const plain = join(statsFolder(), `${nameOf(now - 5 * day)}.jsonl`);
    const text = readFileSync(plain);
    tidyStatistics(folder, 30, now);
    writeFileSync(plain, text);
    expect(readStatistics(folder, { days: 30, now }).runs).toBe(1);
    tidyStatistics(folder, 30, now);
    expect(existsSync(plain)).toBe(false);
    expect(readStatistics(folder, { days: 30, now }).runs).toBe(1);
  });
});
