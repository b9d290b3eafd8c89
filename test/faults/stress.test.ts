import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isFull } from "./capabilities.ts";
import { outcomeProblems } from "./error-at.ts";
import { disposableProject, type FaultProject } from "./fault-project.ts";
import { readTree, type Tree, treeDifference } from "./tree.ts";

/** So many rounds of everybody; the number of processes is about eight times that. */
const rounds = isFull ? 200 : 8;
const timeoutMs = 60 * 60_000;
const versions = ["one\n", "two\n", "three\n"];

/** What a clean run without a cache makes of each version. */
async function cleanRuns(): Promise<ReadonlyMap<string, Tree>> {
  const project = disposableProject();
  const trees = new Map<string, Tree>();
  for (const version of versions) {
    project.write("src/a.txt", version);
    const outcome = await project.cuenv(["task", "build"], { env: { CUENV_CACHE: "off" } });
    expect(outcome).toMatchObject({ code: 0, stdout: "built\n" });
    trees.set(version, readTree(project.workspace));
  }
  return trees;
}

type Step = (round: number) => Promise<readonly string[]>;

/** A checkout whose inputs go round and whose outputs vanish, are edited or stay. */
function builder(
  project: FaultProject,
  env: Readonly<Record<string, string>>,
  clean: ReadonlyMap<string, Tree>,
): Step {
  return async (round) => {
    const version = versions[round % versions.length] ?? "";
    project.write("src/a.txt", version);
    if (round % 4 === 1) rmSync(project.path("out"), { recursive: true, force: true });
    if (round % 4 === 2) project.write("out/stale.txt", "stale\n");
    if (round % 4 === 3) project.write("single.txt", "edited\n");
    const problems = outcomeProblems(await project.cuenv(["task", "build"], { env }));
    const expected = clean.get(version) ?? {};
    const difference = treeDifference(expected, withoutBulk(readTree(project.workspace)));
    return difference === undefined ? problems : [...problems, difference];
  };
}

function withoutBulk(tree: Tree): Tree {
  const isBulk = (path: string): boolean => path === "bulk" || path.startsWith("bulk/");
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !isBulk(path)));
}

/** Results of 900 kB each below a limit of 2 MiB: each one drives another out. */
function evictor(project: FaultProject, env: Readonly<Record<string, string>>): Step {
  return async (round) => {
    project.write("bulk.txt", `${round % 5}\n`);
    rmSync(project.path("bulk"), { recursive: true, force: true });
    const outcome = await project.cuenv(["task", "bulk"], {
      env: { ...env, CUENV_CACHE_MAX_SIZE: "2MiB" },
    });
    const expected = `file 644 ${round % 5}\n${"2".repeat(300_000)}`;
    const isRight = readTree(project.workspace)["bulk/2.bin"] === expected;
    return outcome.code === 0 && isRight
      ? []
      : [`bulk ended with ${outcome.code}, ${isRight}: ${outcome.stderr}`];
  };
}

function caretaker(project: FaultProject, env: Readonly<Record<string, string>>): Step {
  const commands = [["verify"], ["clear"], ["verify", "--repair"], ["stats"]];
  return async (round) => {
    const command = ["cache", ...(commands[round % commands.length] ?? [])];
    const { code, stdout, stderr } = await project.cuenv(command, { env });
    return code === 0 ? [] : [`${command.join(" ")} ended with ${code}: ${stdout}${stderr}`];
  };
}

async function loop(step: Step): Promise<string[]> {
  const problems: string[] = [];
  for (let round = 0; round < rounds; round += 1)
    problems.push(...(await step(round)).map((problem) => `round ${round}: ${problem}`));
  return problems;
}

describe("many processes at once (rows 4, 47)", () => {
  it(
    "store, restore, evict, clear and verify in one cache folder: all succeed, outputs are right, the store is sound",
    async () => {
      const clean = await cleanRuns();
      const checkouts = Array.from({ length: 5 }, () => disposableProject());
      const [first, second, third, fourth, fifth] = checkouts as [
        FaultProject,
        FaultProject,
        FaultProject,
        FaultProject,
        FaultProject,
      ];
      // One user: results of another one's key would be misses.
      const env = { CUENV_CACHE_DIR: join(first.base, "shared"), HOME: join(first.base, "home") };
      const problems = await Promise.all([
        ...[first, second, third].map((project) => loop(builder(project, env, clean))),
        loop(evictor(fourth, env)),
        loop(caretaker(fifth, env)),
      ]);
      expect(problems.flat(), problems.flat().join("\n")).toHaveLength(0);
      const verify = await fifth.cuenv(["cache", "verify"], { env });
      expect([verify.code, verify.stdout]).toEqual([0, expect.stringContaining("no damage")]);
      expect(checkouts.map((project) => existsSync(project.cacheDir))).not.toContain(true);
    },
    timeoutMs,
  );

  it(
    "restore into one checkout: all succeed, and the outputs are right",
    async () => {
      const project = disposableProject();
      await project.cuenv(["task", "build"]);
      const expected = readTree(project.workspace);
      for (let round = 0; round < rounds; round += 1) {
        rmSync(project.path("out"), { recursive: true });
        project.write("single.txt", "edited\n");
        const runs = await Promise.all([1, 2, 3].map(() => project.cuenv(["task", "build"])));
        expect(runs.flatMap(outcomeProblems)).toEqual([]);
        expect(treeDifference(expected, readTree(project.workspace))).toBeUndefined();
      }
      expect(project.runs()).toBe(1);
    },
    timeoutMs,
  );
});
