import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cacheStatus, statusOf } from "./run-json.ts";
import { createSandbox, cue, type Sandbox } from "./sandbox.ts";

const names = ["a", "b", "c"];
/** Each task makes 100 kB that nobody else makes. */
const files = {
  "env.cue": cue({
    tasks: Object.fromEntries(
      names.map((name) => [
        name,
        {
          command: `yes ${name} | head -c 100000 > ${name}.out`,
          inputs: [],
          outputs: [`${name}.out`],
        },
      ]),
    ),
  }),
};

function bytesBelow(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  );
}

const storedBytes = ({ cacheDir }: Sandbox): number =>
  bytesBelow(join(cacheDir, "v1", "cas")) + bytesBelow(join(cacheDir, "v1", "ac"));

async function removedBy(
  sandbox: Sandbox,
  args: readonly string[],
): Promise<{ entries: number; bytes: number }> {
  const run = await sandbox.cuenv(["cache", ...args, "--json"]);
  expect(run.code, run.stderr).toBe(0);
  const document = JSON.parse(run.stdout) as { version: number; entries: number; bytes: number };
  expect(document.version).toBe(1);
  return document;
}

async function filled(): Promise<Sandbox> {
  const sandbox = createSandbox(files);
  for (const name of names) await sandbox.cuenv(["task", name]);
  return sandbox;
}

describe("cuenv cache prune and cleanup", () => {
  it("row 35: keep what was used last, within the size; what they count is what went", async () => {
    const sandbox = await filled();
    const before = storedBytes(sandbox);
    const removed = await removedBy(sandbox, ["prune", "--max-size", "250kB"]);
    expect(removed.entries).toBeGreaterThan(0);
    expect(removed.entries).toBeLessThan(names.length);
    expect(before - storedBytes(sandbox)).toBe(removed.bytes);
    expect(storedBytes(sandbox)).toBeLessThanOrEqual(250_000);
    expect(await cacheStatus(sandbox, ["c"])).toEqual({ c: "hit" });
    expect(await cacheStatus(sandbox, ["a"])).toEqual({ a: "miss" });
  });

  it("row 35: remove nothing that is within the limits", async () => {
    const sandbox = await filled();
    expect(await removedBy(sandbox, ["prune", "--max-age", "7d"])).toMatchObject({ entries: 0 });
    expect(await removedBy(sandbox, ["cleanup"])).toMatchObject({ entries: 0, bytes: 0 });
    expect(await cacheStatus(sandbox, names)).toEqual({ a: "hit", b: "hit", c: "hit" });
  });

  it("clear the folder that a project names, in whichever of its files, though another cannot be evaluated", async () => {
    const own = createSandbox({
      "env.cue": 'package cuenv\ntasks: t: {command: "echo hi", inputs: []}\n',
      "cache.cue": 'package cuenv\nconfig: cache: {\n\tcacheDir: ".own"\n}\n',
      "beside/env.cue": 'package cuenv\ntasks: b: {command: "echo beside", inputs: []}\n',
    });
    const env = { CUENV_CACHE_DIR: undefined };
    expect(await statusOf(own, "t", { env })).toBe("miss");
    expect(await statusOf(own, "b", { env, cwd: "beside" })).toBe("miss");
    own.write("env.cue", "package cuenv\ntasks: {\n");
    const cleared = await own.cuenv(["cache", "clear"], { env });
    expect([cleared.code, cleared.stdout]).toEqual([
      0,
      expect.stringMatching(/Removed 1 result, .*\.own\n$/),
    ]);
    expect(await statusOf(own, "b", { env, cwd: "beside" })).toBe("hit");
  });

  it("say what is wrong with their flags, and remove nothing then", async () => {
    const sandbox = await filled();
    for (const [args, message] of [
      [[], /neither --max-size nor --max-age/],
      [["--max-size", "much"], /cannot use --max-size much/],
      [["--max-size", "5"], /--max-size 5: it has no unit, and would be 5 bytes[^]*write 5GiB/],
      [["--max-age", "-1"], /cannot use --max-age|max-age/],
    ] as const) {
      const run = await sandbox.cuenv(["cache", "prune", ...args]);
      expect(run, run.stderr).toMatchObject({ code: 2, stdout: "" });
      expect(run.stderr).toMatch(message);
    }
    expect(await cacheStatus(sandbox, names)).toEqual({ a: "hit", b: "hit", c: "hit" });
  });
});

describe("cuenv task --summary", () => {
  it("writes the document of the run, and leaves stdout and the exit code to the tasks", async () => {
    const sandbox = createSandbox({
      "env.cue": cue({ tasks: { t: { command: "echo said; exit 4", inputs: [] } } }),
    });
    const run = await sandbox.cuenv(["task", "t", "--summary", "run.json"]);
    expect(run).toMatchObject({ code: 4, stdout: "said\n" });
    const document = JSON.parse(sandbox.read("run.json")) as object;
    expect(document).toMatchObject({
      version: 1,
      tasks: [{ name: "t", outcome: "failed", exitCode: 4 }],
      summary: { failed: 1, exitCode: 4 },
    });
    const lost = await sandbox.cuenv(["task", "t", "--summary", "no/such/folder/run.json"]);
    expect(lost).toMatchObject({ code: 4, stdout: "said\n" });
    expect(lost.stderr).toMatch(/^warning: cannot write the summary: /m);
  });
});
