import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { isLacking, lackOf, otherUser } from "./capabilities.ts";
import {
  buildStderr,
  buildStdout,
  disposableProject,
  type FaultProject,
  projectFiles,
  taskStderr,
  warnings,
} from "./fault-project.ts";
import type { CommandOutcome } from "./run-command.ts";
import { readTree, type Tree, treeDifference } from "./tree.ts";

/** In the place of a file of the cache folder lies something that is none, or that cannot be read. */

/** A secret and a tool, for the files that only they make. */
const files = {
  ...projectFiles,
  "env.cue": `package env

env: TOKEN: {resolver: "exec", command: "echo", args: ["much-too-secret"]}
tasks: build: {
	command: "sh"
	args: ["make.sh"]
	inputs: ["src", "make.sh"]
	outputs: ["out", "single.txt"]
	cacheConfig: runtime: ["uname -s"]
}
`,
};

/** What a run makes only now and then, and a later one finds. */
const rarePlaces = [
  "v1/sweep.lock",
  "v1/index",
  "v1/journal.0123456789abcdef",
  "v1/stats/2026-01-01.jsonl",
  "v1/quarantine",
];

/** A run that is killed by `timeout` has code 124. */
const bounded = ["timeout", "--signal=KILL", "20"];

async function builtProject(ownEvaluator = false): Promise<FaultProject> {
  const project = disposableProject({ files, ownEvaluator });
  // The second run keeps what the first one found too young.
  for (const reason of ["miss", "hit"]) {
    const { stderr } = await project.cuenv(["task", "build"]);
    expect(stderr).toContain(`cuenv build: ${reason}`);
  }
  await project.keep();
  return project;
}

function filesIn(cacheDir: string): string[] {
  return readdirSync(cacheDir, { recursive: true, encoding: "utf8" }).filter((name) =>
    lstatSync(join(cacheDir, name)).isFile(),
  );
}

function occupy(project: FaultProject, place: string, program: string): void {
  const path = join(project.cacheDir, place);
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  expect(spawnSync(program, [path]).status, place).toBe(0);
}

/** Why this is not the build as it should be; undefined: it is. */
function fault(project: FaultProject, outcome: CommandOutcome, expected: Tree): string | undefined {
  const { code, signal, stdout, stderr } = outcome;
  if (code !== 0) return `ended with ${code ?? signal}: ${stderr}`;
  if (stdout !== buildStdout || taskStderr(stderr) !== buildStderr)
    return `printed ${stdout}, ${stderr}`;
  if (warnings(stderr).length > 1) return `warned: ${stderr}`;
  return treeDifference(expected, readTree(project.workspace));
}

describe("a cache folder with a FIFO in the place of a file", () => {
  it("holds up no run, hit or miss, whichever file it is", async () => {
    const project = await builtProject();
    const expected = readTree(project.workspace);
    const found: string[] = [];
    const places = new Set([...filesIn(project.cacheDir), ...rarePlaces]);
    expect(places.size).toBeGreaterThan(20);
    for (const place of places) {
      await project.putBack();
      occupy(project, place, "mkfifo");
      for (const run of ["first", "second"]) {
        const outcome = await project.cuenv(["task", "build"], { wrapper: bounded });
        const problem = fault(project, outcome, expected);
        if (problem !== undefined) found.push(`${place}, ${run} run: ${problem}`);
        if (run === "second" && !outcome.stderr.includes("build: hit"))
          found.push(`${place}: the second run does not hit: ${outcome.stderr}`);
      }
      project.write("src/a.txt", "other\n");
      const { code, stderr } = await project.cuenv(["task", "build"], { wrapper: bounded });
      if (code !== 0 || !stderr.includes("build: miss")) found.push(`${place}, a miss: ${stderr}`);
    }
    expect(found).toEqual([]);
  });

  it("holds up no command that looks at the cache, whatever FIFOs there are", async () => {
    const project = await builtProject();
    const places = [...filesIn(project.cacheDir), ...rarePlaces];
    const commands = ["cache stats", "cache verify", "why build", "cache prune", "cache clear"];
    for (const command of commands) {
      await project.putBack();
      for (const place of places) occupy(project, place, "mkfifo");
      const { code, stderr } = await project.cuenv(command.split(" "), { wrapper: bounded });
      expect(code, `${command}: ${stderr}`).not.toBeOneOf([124, 137, null]);
    }
  });
});

const storedFiles = (project: FaultProject): string[] =>
  filesIn(project.cacheDir).filter((name) => /^v1\/(?:cas|ac)\//.test(name));

/** What is wrong with three runs that have to restore, of which the last one has to hit, without a word. */
async function unhealed(
  project: FaultProject,
  place: string,
  expected: Tree,
  wrapper: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  let stderr = "";
  for (const run of ["first", "second", "third"]) {
    for (const output of ["out", "single.txt"])
      rmSync(project.path(output), { recursive: true, force: true });
    const outcome = await project.cuenv(["task", "build"], { wrapper });
    const problem = fault(project, outcome, expected);
    if (problem !== undefined) found.push(`${place}, ${run} run: ${problem}`);
    ({ stderr } = outcome);
  }
  const isHealed = stderr.includes("build: hit") && warnings(stderr).length === 0;
  return isHealed ? found : [...found, `${place} stays as it is: ${stderr}`];
}

describe("a cache folder with a folder in the place of a blob or an entry", () => {
  it("keeps the result again", async () => {
    const project = await builtProject();
    const expected = readTree(project.workspace);
    for (const place of storedFiles(project)) {
      await project.putBack();
      occupy(project, place, "mkdir");
      expect(await unhealed(project, place, expected, bounded)).toEqual([]);
    }
  });
});

const noOthers = isLacking("another user");

describe(`a cache folder with a blob or an entry of another user${lackOf("another user")}`, () => {
  it.skipIf(noOthers)("keeps the result again", async () => {
    const project = await builtProject(true);
    const expected = readTree(project.workspace);
    for (const place of storedFiles(project)) {
      await project.putBack();
      project.giveTo(65_534);
      spawnSync("chown", ["-R", "65534:65534", project.cacheDir]);
      spawnSync("chown", ["0:0", join(project.cacheDir, place)]);
      const wrapper = ["setpriv", ...otherUser, ...bounded];
      expect(await unhealed(project, place, expected, wrapper)).toEqual([]);
    }
  });
});
