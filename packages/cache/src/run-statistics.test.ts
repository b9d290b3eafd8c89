import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  appendRunRecord,
  createRunCounter,
  readStatistics,
  removeOldStatistics,
} from "./run-statistics.ts";

const day = 24 * 60 * 60 * 1000;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stats-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function runAt(at: number): void {
  const counter = createRunCounter(() => at);
  counter.count({ type: "lookup", task: "build", key: "k", durationMs: 4 });
  counter.count({ type: "hit", task: "build", key: "k", tier: "disk", savedMs: 1000 });
  counter.count({ type: "lookup", task: "__proto__", key: "l", durationMs: 2 });
  counter.count({ type: "miss", task: "__proto__", key: "l", reason: "absent" });
  counter.count({ type: "stored", task: "__proto__", key: "l", durationMs: 10 });
  counter.count({ type: "restored", task: "build", files: 2, bytes: 50, durationMs: 1 });
  expect(appendRunRecord(folder, counter.record())).toBe(true);
}

describe("statistics", () => {
  it("are summed over runs of separate processes", () => {
    const now = Date.now();
    runAt(now - 2000);
    runAt(now - 1000);
    const sum = readStatistics(folder, 30, now);
    expect(sum).toMatchObject({
      runs: 2,
      hits: 2,
      misses: 2,
      stored: 2,
      savedMs: 2000,
      restoredBytes: 100,
    });
    expect(sum).toMatchObject({ hitRate: 0.5, averageLookupMs: 3, averageStoreMs: 10 });
    expect(sum.tasks["build"]).toEqual({ hits: 2, misses: 0, savedMs: 2000 });
  });

  it("say undefined, not zero or NaN, for rates of nothing", () => {
    expect(readStatistics(folder, 30)).toMatchObject({
      runs: 0,
      hitRate: undefined,
      averageLookupMs: undefined,
    });
  });

  it("pass over a torn line and foreign files", () => {
    const now = Date.now();
    runAt(now);
    const [file = ""] = readdirSync(join(folder, "v1/stats"));
    appendFileSync(join(folder, "v1/stats", file), '{"at": 12, "hits":\n{"at":"x"}\n[]\nnull\n');
    writeFileSync(join(folder, "v1/stats/notes.txt"), "mine");
    expect(readStatistics(folder, 30, now).runs).toBe(1);
  });

  it("are kept for the configured days", () => {
    const now = Date.now();
    runAt(now - 40 * day);
    runAt(now);
    expect(readStatistics(folder, 30, now).runs).toBe(1);
    expect(readStatistics(folder, 60, now).runs).toBe(2);
    removeOldStatistics(folder, 30, now);
    expect(readStatistics(folder, 60, now).runs).toBe(1);
  });

  it("of a run that never asked the cache are not written", () => {
    expect(appendRunRecord(folder, createRunCounter().record())).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });
});
