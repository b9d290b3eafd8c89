import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createSandbox, cue, type RunOptions, type Sandbox } from "./sandbox.ts";

interface Statistics {
  readonly version: number;
  readonly runs: number;
  readonly hits: number;
  readonly misses: number;
  readonly errors: number;
  readonly stored: number;
  readonly hitRate: number | null;
  readonly missRate: number | null;
  readonly averageLookupMs: number | null;
  readonly averageStoreMs: number | null;
  readonly savedMs: number;
  readonly restoredBytes: number;
  readonly entries: number;
  readonly blobs: number;
  readonly diskBytes: number;
  readonly memoryBytes: number;
  readonly disk: Readonly<Record<string, { readonly files: number; readonly bytes: number }>>;
  readonly windows: readonly {
    readonly name: string;
    readonly runs: number;
    readonly hits: number;
  }[];
  readonly tasks: readonly {
    readonly name: string;
    readonly hits: number;
    readonly misses: number;
  }[];
}

const project = (): Sandbox =>
  createSandbox({
    "env.cue": cue({
      tasks: {
        a: { command: "sleep 0.2; echo a > a.out", inputs: ["in"], outputs: ["a.out"] },
        b: { command: "cat a.out > b.out", inputs: [], outputs: ["b.out"], dependencies: ["a"] },
        always: { command: "true" },
      },
    }),
    in: "1",
  });

async function stats(
  sandbox: Sandbox,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Statistics> {
  const run = await sandbox.cuenv(["cache", "stats", "--json", ...args], options);
  expect(run.code, run.stderr).toBe(0);
  expect(run.stdout.split("\n")).toHaveLength(2);
  return JSON.parse(run.stdout) as Statistics;
}

/** `du`, but for what the folders themselves take. */
function duBytes(folder: string): number {
  const text = execFileSync("find", [folder, "-type", "f", "-printf", "%s\n"], {
    encoding: "utf8",
  });
  return text
    .split("\n")
    .map(Number)
    .reduce((sum, size) => sum + size, 0);
}

describe("cuenv cache stats", () => {
  it("rows 33, 48: match a scripted sequence of runs, each a process of its own", async () => {
    const sandbox = project();
    await sandbox.cuenv(["task", "b"]); // 2 misses
    await sandbox.cuenv(["task", "b"]); // 2 hits
    sandbox.write("in", "2");
    await sandbox.cuenv(["task", "b"]); // a misses, b hits: the output of a is the same
    sandbox.remove("b.out");
    await sandbox.cuenv(["task", "a", "b", "always"]); // 2 hits, one restored
    const found = await stats(sandbox);
    expect(found).toMatchObject({
      version: 1,
      runs: 4,
      hits: 5,
      misses: 3,
      errors: 0,
      stored: 3,
      hitRate: 0.625,
      missRate: 0.375,
      restoredBytes: 2,
      entries: 3,
    });
    expect(found.savedMs).toBeGreaterThanOrEqual(400);
    expect(found.averageLookupMs).toBeGreaterThan(0);
    expect(found.averageStoreMs).toBeGreaterThan(0);
    expect(found.memoryBytes).toBeGreaterThan(10_000_000);
    expect(
      found.tasks.map(({ name, hits, misses }) => `${name} ${hits} ${misses}`).toSorted(),
    ).toEqual(["a 2 2", "b 3 1"]);
    expect(found.windows.map(({ name, runs, hits }) => [name, runs, hits])).toEqual(
      ["hour", "day", "week", "all"].map((name) => [name, 4, 5]),
    );
  });

  it("row 48: give what the folder takes as du does, and leave it as it was", async () => {
    const sandbox = project();
    await sandbox.cuenv(["task", "b"]);
    await stats(sandbox);
    const before = duBytes(sandbox.cacheDir);
    const found = await stats(sandbox);
    expect(found.diskBytes).toBe(before);
    expect(duBytes(sandbox.cacheDir)).toBe(before);
    const { results, blobs, remembered, statistics } = found.disk;
    expect(results?.bytes).toBe(duBytes(join(sandbox.cacheDir, "v1/ac")));
    expect(blobs?.bytes).toBe(duBytes(join(sandbox.cacheDir, "v1/cas")));
    expect(remembered?.bytes).toBe(duBytes(join(sandbox.cacheDir, "v1/workspaces")));
    expect(statistics?.bytes).toBe(duBytes(join(sandbox.cacheDir, "v1/stats")));
  });

  it("row 48: count what went wrong, and the run that came after a torn line", async () => {
    const sandbox = project();
    await sandbox.cuenv(["task", "a"]);
    const folder = join(sandbox.cacheDir, "v1/stats");
    appendFileSync(join(folder, readdirSync(folder)[0] ?? ""), '\n{"at":17,"hits":');
    for (const shard of readdirSync(join(sandbox.cacheDir, "v1/cas/sha256")))
      for (const name of readdirSync(join(sandbox.cacheDir, "v1/cas/sha256", shard)))
        writeFileSync(join(sandbox.cacheDir, "v1/cas/sha256", shard, name), "X\n");
    sandbox.remove("a.out");
    await sandbox.cuenv(["task", "a"]);
    const found = await stats(sandbox);
    expect(found).toMatchObject({ runs: 2, misses: 2 });
    expect(found.errors).toBeGreaterThan(0);
  });

  it("are of a time with --since, and say what they do not understand", async () => {
    const sandbox = project();
    await sandbox.cuenv(["task", "a"]);
    const folder = join(sandbox.cacheDir, "v1/stats");
    const [name = ""] = readdirSync(folder);
    const record = JSON.parse(readFileSync(join(folder, name), "utf8")) as { at: number };
    const old = { ...record, at: record.at - 3 * 60 * 60 * 1000 };
    appendFileSync(join(folder, name), `\n${JSON.stringify(old)}`);
    expect(await stats(sandbox)).toMatchObject({ runs: 2 });
    expect(await stats(sandbox, ["--since", "1h"])).toMatchObject({ runs: 1, misses: 1 });
    const wrong = await sandbox.cuenv(["cache", "stats", "--since", "yesterday"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/cannot use --since yesterday/);
  });

  it("row 17: are kept as long as configured; cleanup removes the rest", async () => {
    const sandbox = project();
    await sandbox.cuenv(["task", "a"]);
    const folder = join(sandbox.cacheDir, "v1/stats");
    const at = Date.now() - 10 * 24 * 60 * 60 * 1000;
    const day = new Date(at).toISOString().slice(0, 10);
    const [name = ""] = readdirSync(folder);
    const record = JSON.parse(readFileSync(join(folder, name), "utf8")) as object;
    writeFileSync(join(folder, `${day}.jsonl`), `${JSON.stringify({ ...record, at })}\n`);
    expect(await stats(sandbox)).toMatchObject({ runs: 2 });
    const week = { env: { CUENV_STATS_RETENTION_DAYS: "7" } };
    sandbox.write("cuenv.cache.json", JSON.stringify({ statsRetentionDays: 7 }));
    expect(await stats(sandbox, [], week)).toMatchObject({ runs: 1 });
    await sandbox.cuenv(["cache", "cleanup"], week);
    expect(readdirSync(folder)).toEqual([name]);
  });

  it("say so where there is nothing, and make nothing", async () => {
    const sandbox = createSandbox({});
    const text = await sandbox.cuenv(["cache", "stats"]);
    expect(text.code, text.stderr).toBe(0);
    expect(text.stdout).toMatch(/On disk +nothing/);
    expect(text.stdout).toMatch(/No runs yet/);
    expect(await stats(sandbox)).toMatchObject({
      hits: 0,
      hitRate: null,
      averageLookupMs: null,
      diskBytes: 0,
      entries: 0,
      tasks: [],
    });
    expect(sandbox.exists(sandbox.cacheDir)).toBe(false);
  });

  it("fit 80 columns for people", async () => {
    const sandbox = project();
    for (const _ of [1, 2]) await sandbox.cuenv(["task", "b"]);
    const { stdout } = await sandbox.cuenv(["cache", "stats"]);
    const lines = stdout.split("\n").filter((line) => !line.includes(sandbox.cacheDir));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).toMatch(/last hour +2 +2 +2 +50 % +50 % +0/);
    expect(stdout).toMatch(/^b +1 +1 +50 %/m);
  });
});

describe("row 34: cuenv cache clear", () => {
  it("removes what it says, to the byte, and nothing of others", async () => {
    const sandbox = project();
    await sandbox.cuenv(["task", "b"]);
    mkdirSync(join(sandbox.cacheDir, "v1/cas/theirs"));
    writeFileSync(join(sandbox.cacheDir, "v1/cas/theirs/notes.txt"), "mine");
    const before = duBytes(sandbox.cacheDir);
    const run = await sandbox.cuenv(["cache", "clear", "--json"]);
    expect(run.code, run.stderr).toBe(0);
    const removed = JSON.parse(run.stdout) as { version: number; entries: number; bytes: number };
    expect(removed).toMatchObject({ version: 1, entries: 2 });
    expect(removed.bytes).toBe(before - duBytes(sandbox.cacheDir));
    expect(readFileSync(join(sandbox.cacheDir, "v1/cas/theirs/notes.txt"), "utf8")).toBe("mine");
    expect(await stats(sandbox)).toMatchObject({ entries: 0, runs: 1, misses: 2 });
    const again = await sandbox.cuenv(["task", "b"]);
    expect(again.stderr).toMatch(/miss/);
  });
});
