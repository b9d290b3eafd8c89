import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { isLacking, lackOf, otherUser } from "./capabilities.ts";
import { outcomeProblems } from "./error-at.ts";
import { disposableProject, type FaultProject, mount, unmount, warnings } from "./fault-project.ts";
import type { CommandOutcome } from "./run-command.ts";
import { readTree, treeDifference } from "./tree.ts";

/** Real limits, where no error is made up: a small disk, a read-only one, another user's folder, `ulimit`. */

/** A file system of its own for the cache folder, until the test is over. */
function mounted(project: FaultProject, options: string): string {
  const folder = join(project.base, "disk");
  mount(folder, options);
  onTestFinished(() => unmount(folder));
  chmodSync(folder, 0o755);
  return folder;
}

/** The run is what it would be without a cache, but for one line. */
function expectOneWarning(outcome: CommandOutcome): void {
  expect(outcomeProblems(outcome)).toEqual([]);
  expect(warnings(outcome.stderr), outcome.stderr).toHaveLength(1);
}

async function expectSound(
  project: FaultProject,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { code, stdout } = await project.cuenv(["cache", "verify"], { env });
  expect([code, stdout]).toEqual([0, expect.stringContaining("no damage")]);
}

/** More than the small disks hold, so that the blob is what does not fit; no zeros, of which the store keeps only a hole. */
function makeOutputsLarge(project: FaultProject): void {
  writeFileSync(
    project.path("make.sh"),
    `set -e; mkdir -p out; head -c 3000000 /dev/zero | tr '\\0' x > out/large; echo x > single.txt; echo built; echo advice >&2`,
  );
}

const noMounts = isLacking("mounts");
const noLimits = isLacking("limits");

describe(`a full disk${lackOf("mounts")}`, () => {
  it.skipIf(noMounts)("costs one warning, and no half blob stays", async () => {
    const project = disposableProject();
    const disk = mounted(project, "size=2m");
    const env = { CUENV_CACHE_DIR: join(disk, "cache") };
    makeOutputsLarge(project);
    expectOneWarning(await project.cuenv(["task", "build"], { env }));
    expect(readTree(project.workspace)["out/large"]).toHaveLength("file 644 ".length + 3_000_000);
    await expectSound(project, env);
    expect(readdirSync(join(disk, "cache", "v1", "tmp"))).toEqual([]);
  });

  it.skipIf(noMounts)("costs one warning when it has no inode left", async () => {
    const project = disposableProject();
    const disk = mounted(project, "nr_inodes=8");
    const env = { CUENV_CACHE_DIR: join(disk, "cache") };
    expectOneWarning(await project.cuenv(["task", "build"], { env }));
    expect(project.runs()).toBe(1);
    await expectSound(project, env);
  });

  it.skipIf(noMounts)("of the workspace fails a restore, and takes nothing away", async () => {
    const project = disposableProject();
    makeOutputsLarge(project);
    await project.cuenv(["task", "build"]);
    const disk = mounted(project, "size=2m");
    // The same project on a small disk: its result is found, and does not fit.
    mkdirSync(join(disk, "src"));
    for (const name of ["env.cue", "make.sh", "src/a.txt", "src/b.txt"])
      writeFileSync(join(disk, name), project.read(name));
    mkdirSync(join(disk, "out"));
    writeFileSync(join(disk, "out", "mine"), "before");
    const outcome = await project.cuenv(["task", "build"], { cwd: disk });
    // The task then ran out of space itself, as it would have without a cache.
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toBe("");
    expect(warnings(outcome.stderr), outcome.stderr).toHaveLength(1);
    expect(outcome.stderr).toContain("could not be restored");
    expect(readTree(disk)["out/mine"]).toBe("file 644 before");
    expect(readdirSync(disk).filter((name) => name.startsWith(".cuenv"))).toEqual([]);
    await expectSound(project, {});
  });
});

describe("a read-only disk", () => {
  it.skipIf(isLacking("mounts"))(
    `serves hits without a word, and costs one warning on a miss${lackOf("mounts")}`,
    async () => {
      const project = disposableProject();
      const disk = mounted(project, "size=20m");
      const env = { CUENV_CACHE_DIR: join(disk, "cache") };
      await project.cuenv(["task", "build"], { env });
      const expected = readTree(project.workspace);
      mount(disk, "remount,ro");
      rmSync(project.path("out"), { recursive: true });
      const hit = await project.cuenv(["task", "build"], { env });
      expect(outcomeProblems(hit)).toEqual([]);
      expect(hit.stderr).toContain("restored");
      expect(project.runs()).toBe(1);
      expect(treeDifference(expected, readTree(project.workspace))).toBeUndefined();
      project.write("src/unused.txt", "another key\n");
      const miss = await project.cuenv(["task", "build"], { env });
      expectOneWarning(miss);
      expect(project.runs()).toBe(2);
      await expectSound(project, env);
    },
  );
});

describe("another user", () => {
  it.skipIf(isLacking("another user"))(
    `who may not look into the cache folder runs the task, with one warning${lackOf("another user")}`,
    async () => {
      const project = disposableProject({ ownEvaluator: true });
      await project.cuenv(["task", "build"]);
      project.giveTo(65534);
      const wrapper = ["setpriv", ...otherUser];
      const outcome = await project.cuenv(["task", "build"], { wrapper });
      expectOneWarning(outcome);
      expect(project.runs()).toBe(2);
      await expectSound(project, {});
    },
  );

  it.skipIf(isLacking("another user"))(
    `who may read it and not write gets hits, and one warning on a miss${lackOf("another user")}`,
    async () => {
      const project = disposableProject({ ownEvaluator: true });
      await project.cuenv(["task", "build"]);
      const expected = readTree(project.workspace);
      project.giveTo(65534);
      project.openCacheForReading();
      rmSync(project.path("out"), { recursive: true });
      const wrapper = ["setpriv", ...otherUser];
      const hit = await project.cuenv(["task", "build"], { wrapper });
      expect(outcomeProblems(hit)).toEqual([]);
      expect(hit.stderr).toContain("restored");
      expect(treeDifference(expected, readTree(project.workspace))).toBeUndefined();
      project.write("src/unused.txt", "another key\n");
      expectOneWarning(await project.cuenv(["task", "build"], { wrapper }));
    },
  );
});

describe(`a folder that may be entered and not listed${lackOf("another user")}`, () => {
  it.skipIf(isLacking("another user"))(
    "has a task run uncached when it holds inputs or a .gitignore, and not stored when it holds outputs",
    async () => {
      const project = disposableProject({ ownEvaluator: true });
      const wrapper = ["setpriv", ...otherUser];
      const env = { CUENV_CACHE_DIR: join(project.temporary, "cache") };
      const build = async (): Promise<CommandOutcome> => {
        project.giveTo(65534);
        return project.cuenv(["task", "build"], { wrapper, env });
      };
      await project.cuenv(["task", "build"]);
      chmodSync(project.path("src"), 0o311);
      for (const text of ["one", "two"]) {
        project.write("src/a.txt", `${text}\n`);
        const outcome = await build();
        expectOneWarning(outcome);
        expect(outcome.stderr).toContain("cannot list src: EACCES");
        expect(project.read("out/a.txt")).toBe(`${text}\n`);
      }
      chmodSync(project.path("src"), 0o755);
      project.write(".gitignore", "nothing");
      chmodSync(project.path(".gitignore"), 0o000);
      const unread = await build();
      expectOneWarning(unread);
      expect(unread.stderr).toContain("cannot hash .gitignore: EACCES");
      rmSync(project.path(".gitignore"));
      project.write("make.sh", `${project.read("make.sh")}chmod 311 out/nested\n`);
      expect((await build()).stderr).toContain("cannot store its outputs: EACCES");
    },
  );
});

function limited(limit: string): string[] {
  return ["bash", "-c", `ulimit ${limit}; exec "$0" "$@"`];
}

describe(`a limit of the shell${lackOf("limits")}`, () => {
  // Node and its modules need about 20 descriptors, and a task whose output is kept some more.
  for (const files of [32, 36, 40]) {
    it.skipIf(noLimits)(`on open files (${files}) changes nothing`, async () => {
      const project = disposableProject({ ownEvaluator: true });
      const wrapper = limited(`-n ${files}`);
      const miss = await project.cuenv(["task", "build"], { wrapper });
      expect(outcomeProblems(miss)).toEqual([]);
      expect(warnings(miss.stderr).length, miss.stderr).toBeLessThanOrEqual(1);
      rmSync(project.path("out"), { recursive: true });
      const hit = await project.cuenv(["task", "build"], { wrapper });
      expect(outcomeProblems(hit)).toEqual([]);
      expect(hit.stderr).toContain("restored");
      await expectSound(project, {});
    });
  }

  for (const files of [24, 28]) {
    it.skipIf(noLimits)(
      `on open files (${files}) that leaves none for a process is said, and spoils nothing`,
      async () => {
        const project = disposableProject({ ownEvaluator: true });
        const wrapper = limited(`-n ${files}`);
        for (const _ of ["miss", "hit"]) {
          const outcome = await project.cuenv(["task", "build"], { wrapper });
          const isSaid = outcome.code !== 0 && outcome.stderr.includes("EMFILE");
          expect(isSaid ? [] : outcomeProblems(outcome)).toEqual([]);
          rmSync(project.path("out"), { recursive: true, force: true });
        }
        expect(outcomeProblems(await project.cuenv(["task", "build"]))).toEqual([]);
        await expectSound(project, {});
      },
    );
  }

  it.skipIf(noLimits)("on the size of files costs one warning", async () => {
    const project = disposableProject({ ownEvaluator: true });
    // 1 KiB: the outputs are smaller, the entry is not.
    expectOneWarning(await project.cuenv(["task", "build"], { wrapper: limited("-f 1") }));
    expect(outcomeProblems(await project.cuenv(["task", "build"]))).toEqual([]);
    await expectSound(project, {});
  });
});
