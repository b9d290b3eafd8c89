import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { NxTaskResult } from "../nx-api.ts";
import { otherRemoteCache } from "./other-remote-cache.ts";
import { durationsOf, recordRun } from "./record-run.ts";
import { runReport } from "./run-report.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "nx-hooks-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

describe("another remote cache", () => {
  it("is Nx Cloud, unless that is turned off", () => {
    const cloud = { nxCloudId: "x" };
    expect(otherRemoteCache(root, cloud, {})).toBe("Nx Cloud is set up");
    expect(otherRemoteCache(root, {}, { NX_CLOUD_ACCESS_TOKEN: "x" })).toBe("Nx Cloud is set up");
    expect(otherRemoteCache(root, cloud, { NX_NO_CLOUD: "true" })).toBeUndefined();
    expect(otherRemoteCache(root, { ...cloud, neverConnectToCloud: true }, {})).toBeUndefined();
  });

  it("is a package that Nx takes for one when it is there", () => {
    expect(otherRemoteCache(root, {}, {})).toBeUndefined();
    const folder = join(root, "node_modules/@nx/shared-fs-cache");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"main":"index.js"}');
    writeFileSync(join(folder, "index.js"), "");
    expect(otherRemoteCache(root, {}, {})).toBe("@nx/shared-fs-cache is installed");
  });

  it("is a server that is set", () => {
    const env = { NX_SELF_HOSTED_REMOTE_CACHE_SERVER: "http://x" };
    expect(otherRemoteCache(root, {}, env)).toBe("NX_SELF_HOSTED_REMOTE_CACHE_SERVER is set");
    expect(otherRemoteCache(root, {}, { NX_SELF_HOSTED_REMOTE_CACHE_SERVER: "" })).toBeUndefined();
  });
});

function result(id: string, hash: string, more: Partial<NxTaskResult> = {}): NxTaskResult {
  return {
    task: { id, hash, projectRoot: "packages/a", hashDetails: { nodes: { files: `of ${hash}` } } },
    status: "success",
    startTime: 1000,
    endTime: 2500,
    ...more,
  };
}

describe("the report of a run", () => {
  it("says hits, misses, what was stored and the time saved, once the shared cache was asked", () => {
    const counts = { hits: 2, misses: 1, stored: new Set(["3"]), savedMs: 61_000 };
    const results = { a: result("a", "1", { status: "local-cache" }) };
    expect(runReport(counts, results)).toBe(
      "shared cache: 2 hits, 1 miss, 1 stored, 1 from Nx's own cache; saved 1 min 1 s",
    );
    expect(runReport({ ...counts, hits: 0, misses: 0 }, results)).toBeUndefined();
  });

  it("knows how long those tasks took whose results were stored", () => {
    const results = {
      a: result("a", "1"),
      b: result("b", "2"),
      c: result("c", "3", { endTime: 0 }),
    };
    expect(durationsOf(results, new Set(["1", "3"]))).toEqual({ "1": 1500 });
  });
});

describe("the record of runs", () => {
  const context = (...results: readonly NxTaskResult[]) => ({
    id: "1",
    workspaceRoot: root,
    nxJsonConfiguration: {},
    taskResults: Object.fromEntries(results.map((each) => [each.task.id, each])),
  });
  const recorded = (folder = join(root, ".nx/workspace-data")) =>
    JSON.parse(readFileSync(join(folder, "cuenv-runs-v1.json"), "utf8")) as {
      tasks: Record<string, { root: string; runs: { hash: string; nodes: unknown }[] }>;
    };

  it("keeps the last hashes of each task, the newest first, with what they were made of", () => {
    for (const hash of ["1", "2", "2", "3", "4", "3"]) recordRun(context(result("a:build", hash)));
    recordRun(context(result("b:build", "9")));
    const { tasks } = recorded();
    expect(tasks["a:build"]?.runs.map(({ hash }) => hash)).toEqual(["3", "4", "2"]);
    expect(tasks["a:build"]?.runs[0]?.nodes).toEqual({ files: "of 3" });
    expect(tasks["b:build"]?.root).toBe("packages/a");
  });

  it("lies where Nx keeps its own, begins anew when it is damaged, and does without where nothing can be written", () => {
    const data = join(root, "data");
    vi.stubEnv("NX_WORKSPACE_DATA_DIRECTORY", data);
    recordRun(context(result("a:build", "1")));
    writeFileSync(join(data, "cuenv-runs-v1.json"), "{");
    recordRun(context(result("a:build", "2")));
    expect(recorded(data).tasks["a:build"]?.runs).toHaveLength(1);
    vi.stubEnv("NX_WORKSPACE_DATA_DIRECTORY", join(data, "cuenv-runs-v1.json", "x"));
    expect(() => recordRun(context(result("a:build", "3")))).not.toThrow();
  });
});
