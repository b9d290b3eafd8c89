import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { type Random, randomFrom } from "../builds/random.ts";
import { runProgram, turboProgram } from "../e2e/turbo-workspace.ts";
import { editSyncWorld, randomSyncWorld, type SyncWorld } from "./sync-world.ts";

/** More of them after changes of `cuenv turbo sync` or of what patterns mean: CONTRIBUTING.md. */
const asked = process.env["CUENV_RANDOM_SYNCS"];
const first = Number(process.env["CUENV_RANDOM_SEED"] ?? 1);
const seeds = Array.from({ length: Number(asked ?? 3) }, (_, at) => first + at);
const edits = asked === undefined ? 4 : 8;

/** By `package#task`. */
type Hashes = ReadonlyMap<string, string | null>;

async function keysOf({ sandbox, tasks, variables }: SyncWorld): Promise<Hashes> {
  const keys = new Map<string, string | null>();
  for (const [name, names] of tasks) {
    const { stdout, stderr } = await sandbox.cuenv(["task", ...names, "--dry-run", "--json"], {
      cwd: `packages/${name}`,
      env: variables,
    });
    const { tasks: rows } = JSON.parse(stdout) as {
      readonly tasks?: readonly { readonly name: string; readonly key: string | null }[];
    };
    if (rows === undefined) throw new Error(`no keys: ${stdout}${stderr}`);
    for (const row of rows) keys.set(`${name}#${row.name}`, row.key);
  }
  return keys;
}

async function hashesOf({ sandbox, tasks, variables }: SyncWorld): Promise<Hashes> {
  const names = [...new Set([...tasks.values()].flat())];
  const argv = [turboProgram("2.11.11"), "run", ...names, "--dry=json"];
  const { output } = await runProgram(argv, {
    cwd: sandbox.root,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: sandbox.home,
      TURBO_TELEMETRY_DISABLED: "1",
      TURBO_NO_UPDATE_NOTIFIER: "1",
      TURBO_GLOBAL_WARNING_DISABLED: "1",
      ...variables,
    },
  });
  if (!output.includes('"tasks":')) throw new Error(`turbo refuses: ${output}`);
  const { tasks: rows } = JSON.parse(output.slice(output.indexOf("{"))) as {
    readonly tasks: readonly {
      readonly taskId: string;
      readonly hash: string;
      readonly resolvedTaskDefinition: { readonly cache: boolean };
    }[];
  };
  // What turbo does not keep has no hash that anything follows from.
  const kept = rows.filter(({ resolvedTaskDefinition: { cache } }) => cache);
  return new Map(kept.map(({ taskId, hash }) => [taskId, hash]));
}

async function syncAndEdit(random: Random): Promise<void> {
  const world = randomSyncWorld(random);
  const { sandbox } = world;
  spawnSync("git", ["init", "-q"], { cwd: sandbox.root });
  expect(await sandbox.cuenv(["turbo", "sync"])).toMatchObject({ code: 0 });
  expect(await sandbox.cuenv(["turbo", "sync", "--check"])).toMatchObject({ code: 0 });
  const log: string[] = [];
  let [keys, hashes] = [await keysOf(world), await hashesOf(world)];
  for (let edit = 0; edit < edits; edit += 1) {
    log.push(editSyncWorld(random, world));
    const [newKeys, newHashes] = [await keysOf(world), await hashesOf(world)];
    for (const [id, key] of newKeys)
      if (key !== keys.get(id) && newHashes.has(id) && newHashes.get(id) === hashes.get(id))
        throw new Error(
          `${id}: another key, and turbo's hash is the same\n${log.join("\n")}\n${sandbox.read(`packages/${id.replace(/#.*/, "")}/env.cue`)}${sandbox.read("turbo.json")}`,
        );
    [keys, hashes] = [newKeys, newHashes];
  }
}

describe.concurrent("turbo.json of random env.cue files", () => {
  it.each(seeds)("has turbo run again what cuenv would run again: seed %i", async (seed) => {
    await expect(syncAndEdit(randomFrom(seed))).resolves.toBeUndefined();
  });
});
