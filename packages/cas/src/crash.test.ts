import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { check, openEntryStore, references } from "../test/entries.ts";
import { listTree } from "../test/tree.ts";
import { makeFolder } from "../test/workspace.ts";
import { verifyStore } from "./verify-store.ts";

const scenario = fileURLToPath(new URL("../test/crash-scenario.ts", import.meta.url));

/** Calls that change something on a disk; Node makes none of them while it starts. */
const calls = ["pwrite64", "ftruncate", "rename", "link", "unlink", "mkdir", "rmdir"];

let base: string;
beforeEach(() => {
  base = makeFolder();
  mkdirSync(`${base}/workspace`);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Runs the scenario; kills it with SIGKILL when it is about to make this call for the n-th time, by strace. */
function run(call?: string, killAt = 0): { killed: boolean; code: number | null; stderr: string } {
  const node = [process.execPath, "--conditions=@cuenv/source", scenario];
  const inject = [
    "-f",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    `trace=${call}`,
    "-e",
    `inject=${call}:signal=KILL:when=${killAt}`,
  ];
  const [command = "", ...args] = call === undefined ? node : ["strace", ...inject, ...node];
  const env = { ...process.env, NODE_OPTIONS: "", BASE: base, UV_THREADPOOL_SIZE: "1" };
  const { status, signal, stderr } = spawnSync(command, args, { env, encoding: "utf8" });
  return { killed: signal === "SIGKILL" || status === 137, code: status, stderr };
}

const hasStrace = spawnSync("strace", ["-V"], { stdio: "ignore" }).status === 0;
if (!hasStrace) console.warn("SKIPPED: strace is needed and not there");

/** With CUENV_FULL_SWEEP=1 at every call, else at some. */
const sampled: Readonly<Record<string, readonly number[]>> = {
  pwrite64: [9],
  ftruncate: [2],
  rename: [7, 14, 18],
  link: [1],
  unlink: [4],
  mkdir: [5],
  rmdir: [2],
};
const isFull = process.env["CUENV_FULL_SWEEP"] === "1";
const pointsOf = (call: string): Iterable<number> =>
  isFull ? Array.from({ length: 1000 }, (_, index) => index + 1) : (sampled[call] ?? []);

/** After a kill: whatever is there is sound, no temporary file is in anybody's way, and the same program does its work. */
async function expectSound(place: string): Promise<void> {
  const { folder } = openEntryStore(`${base}/cache`);
  const { problems } = await verifyStore({ folder, references, check });
  expect([place, problems]).toEqual([place, []]);
  expect([place, run()]).toEqual([place, { killed: false, code: 0, stderr: "" }]);
  const tree = listTree(`${base}/workspace`);
  const names = ["dist", "dist/a", "dist/large", "dist/only-two", "dist/sub", "dist/sub/b"];
  expect([place, Object.keys(tree)]).toEqual([place, names]);
  expect(Buffer.from(tree["dist/sub/b"] ?? "", "base64").toString()).toBe("two of sub/b\n");
  const large = Buffer.from(tree["dist/large"] ?? "", "base64");
  expect([place, large.equals(Buffer.from("two of large\n".repeat(200_000)))]).toEqual([
    place,
    true,
  ]);
  expect([place, readdirSync(`${base}/cache/v1/tmp`)]).toEqual([place, []]);
}

describe.runIf(hasStrace)("C1: a process that is killed at any call", () => {
  it.each(calls)(
    "row 47: leaves nothing that could be served wrongly, and the next run is right (%s)",
    { timeout: 600_000 },
    async (call) => {
      let kills = 0;
      for (const point of pointsOf(call)) {
        rmSync(`${base}/cache`, { recursive: true, force: true });
        if (!run(call, point).killed) break;
        kills += 1;
        await expectSound(`${call} ${point}`);
      }
      expect(kills).toBeGreaterThan(0);
    },
  );
});
