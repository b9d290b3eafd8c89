import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunDocument, TaskDocument } from "../run/run-document.ts";
import { stepSummaryFile } from "./step-summary-file.ts";
import { appendStepSummary, stepSummary } from "./step-summary.ts";

function row(name: string, more: Partial<TaskDocument> = {}): TaskDocument {
  return {
    name,
    outcome: "succeeded",
    exitCode: 0,
    key: null,
    cache: { status: "hit", tier: "disk", reason: null, stored: false },
    durationMs: 12,
    savedMs: 3000,
    restoredFiles: 0,
    outputsLeft: false,
    ...more,
  };
}

function run(...tasks: readonly TaskDocument[]): RunDocument {
  const summary = { hits: 1, misses: 1, failed: 1, exitCode: 0, durationMs: 1500, savedMs: 3000 };
  return { version: 1, tasks, summary };
}

const miss = { status: "miss", tier: null, reason: "src/a.ts changed", stored: true } as const;

describe("the summary of a step", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "summary-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is a table of the run: what failed first, then what ran, then hits", () => {
    const text = stepSummary(
      run(
        row("fine"),
        row("ran", { cache: miss, savedMs: 0 }),
        row("broke", { outcome: "failed", exitCode: 7 }),
      ),
    );
    expect(text).toContain("3 tasks · 1 hit · 1 miss · **1 failed** · 1.5 s · saved 3.0 s\n");
    expect(
      text
        .split("\n")
        .filter((line) => line.startsWith("| "))
        .slice(1),
    ).toEqual([
      "| broke | failed (7) | hit | 12 ms | 3.0 s |  |",
      "| ran | ok | miss | 12 ms |  | src&#47;a&#46;ts changed |",
      "| fine | ok | hit | 12 ms | 3.0 s |  |",
    ]);
  });

  it("lets no name be anything but text", () => {
    const names = [
      "a | b",
      "[x](https://evil.example)",
      "<img src=x>",
      "@everyone #1",
      "`code` **b** _i_ ~s~",
      "two\nlines\r",
      "&#64;",
      "\u202eleft\u0007",
    ];
    const text = stepSummary(
      run(...names.map((name) => row(name, { cache: { ...miss, reason: name } }))),
    );
    const rows = text.split("\n").slice(6, 6 + names.length);
    for (const line of rows) {
      expect(line.split(" | ")).toHaveLength(6);
      expect(line.replaceAll(/&#\d+;/g, "")).toMatch(
        /^\| [\p{L}\p{N} ]* \| ok \| miss \| 12 ms \| 3\.0 s \| [\p{L}\p{N} ]* \|$/u,
      );
    }
  });

  it("is bounded: in rows, in the length of names, and by what GitHub takes", () => {
    const text = stepSummary(
      run(...Array.from({ length: 1000 }, (_, at) => row(`${"~".repeat(500)}${at}`))),
    );
    expect(text.split("\n").filter((line) => line.startsWith("| "))).toHaveLength(101);
    expect(text).toContain("… and 900 more");
    expect(text.length).toBeLessThan(100_000);
    const file = join(folder, "full.md");
    writeFileSync(file, "x".repeat(1024 * 1024 - 10));
    appendStepSummary(file, run(row("a")));
    expect(readFileSync(file).length).toBe(1024 * 1024 - 10);
  });

  it("is added to what others wrote, and fails nothing", () => {
    const file = join(folder, "summary.md");
    writeFileSync(file, "before\n");
    appendStepSummary(file, run(row("a")));
    expect(readFileSync(file, "utf8")).toMatch(/^before\n### cuenv\n/);
    expect(() => appendStepSummary(join(folder, "no", "where"), run(row("a")))).not.toThrow();
  });

  it("is written where GitHub says, unless it is turned off", () => {
    const file = "/summary";
    expect(stepSummaryFile({ GITHUB_STEP_SUMMARY: file })).toBe(file);
    expect(stepSummaryFile({})).toBeUndefined();
    expect(stepSummaryFile({ GITHUB_STEP_SUMMARY: "" })).toBeUndefined();
    for (const wanted of ["off", "0", "false", "No"])
      expect(
        stepSummaryFile({ GITHUB_STEP_SUMMARY: file, CUENV_STEP_SUMMARY: wanted }),
      ).toBeUndefined();
  });
});
