import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { keptSummaries, latestSummaryOf, pruneSummaries } from "./run-summaries.ts";
import { parseRunSummary } from "./run-summary.ts";

interface Runs {
  readonly root: string;
  /** A file of `.turbo/runs`, of a time (s) of its own. */
  readonly add: (name: string, time: number, text: string) => void;
  readonly names: () => readonly string[];
}

function runs(): Runs {
  const root = mkdtempSync(join(tmpdir(), "cuenv-runs-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, ".turbo", "runs");
  mkdirSync(folder, { recursive: true });
  return {
    root,
    add(name, time, text) {
      writeFileSync(join(folder, name), text);
      utimesSync(join(folder, name), time, time);
    },
    names: () => readdirSync(folder).toSorted(),
  };
}

const summary = (hash: string, ...ids: readonly string[]): string =>
  JSON.stringify({ tasks: ids.map((taskId) => ({ taskId, hash })) });

describe("summaries of turbo's runs", () => {
  it("the newest that has the task is taken, and what cannot be read is passed over", () => {
    const { root, add } = runs();
    add("1old.json", 1_000, summary("1", "web#build"));
    add("2mid.json", 2_000, summary("2", "web#build", "lib#build"));
    add("3new.json", 3_000, summary("3", "lib#build"));
    add("4half.json", 4_000, '{"tasks": [');
    add("5other.json", 5_000, "[]");
    symlinkSync("nothing", join(root, ".turbo/runs/6link.json"));
    expect(latestSummaryOf(root, "web#build")?.tasks.get("web#build")?.hash).toBe("2");
    expect(latestSummaryOf(root, "lib#build")?.tasks.get("lib#build")?.hash).toBe("3");
    expect(latestSummaryOf(root, "web#test")).toBeUndefined();
    expect(latestSummaryOf(join(root, "nowhere"), "web#build")).toBeUndefined();
  });

  it("all but the newest go, and nothing that is no summary", () => {
    const { root, add, names } = runs();
    for (let at = 0; at < keptSummaries + 5; at += 1) add(`run${at}.json`, 1_000 + at, "{}");
    add("notes.txt", 1, "mine");
    pruneSummaries(root);
    expect(names()).toHaveLength(keptSummaries + 1);
    expect(names()).toEqual(expect.arrayContaining(["notes.txt", "run24.json", "run5.json"]));
    expect(() => pruneSummaries(join(root, "nowhere"))).not.toThrow();
  });

  it("fields of the wrong kind, or of another version, count as empty", () => {
    const text = JSON.stringify({
      tasks: [{ taskId: "a#b", hash: 5, inputs: ["x"], outputs: "y", cache: { remote: true } }, 7],
      execution: { startTime: "soon" },
      scm: { sha: "" },
    });
    const parsed = parseRunSummary(text, "a test");
    expect(parsed).toMatchObject({ turboVersion: "", startedAt: undefined, commit: undefined });
    expect(parsed.tasks.get("a#b")).toMatchObject({
      hash: "",
      inputs: {},
      outputs: [],
      cached: "remote",
    });
    for (const wrong of ["{", "{}", "null"])
      expect(() => parseRunSummary(wrong, "run.json")).toThrow(/cannot read run\.json: it /);
  });
});
