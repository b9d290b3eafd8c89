import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isFull, isLacking, lackOf } from "./capabilities.ts";
import { errorAt, outcomeProblems } from "./error-at.ts";
import { disposableProject, type FaultProject, taskStderr, warnings } from "./fault-project.ts";
import type { CommandOutcome } from "./run-command.ts";
import { type FileCall, onePoolThread } from "./file-calls.ts";
import { type Cell, type Scenario, spread, summary, sweep } from "./sweep.ts";
import { scenarios } from "./kill-scenarios.ts";
import { readTree, treeDifference } from "./tree.ts";

const errors = ["ENOSPC", "EACCES", "EROFS", "EMFILE", "EIO"] as const;
/** Of the calls of a cell; `close` and looks at attributes fail for no reason that a file system has. */
const failing =
  /^(?:open|p?write|pread|read$|rename|mkdir|unlink|rmdir|utimens|link|symlink|ftruncate|fsync|getdents)/;
/** In CI: so many cells of each scenario. */
const shortCells = 4;
const timeoutMs = 60 * 60_000;

/**
 * Everything that touches the cache folder, and what changes the workspace. What the run only reads there is its input: an `env.cue` that
 * cannot be read is no failure of the cache.
 */
function cells(calls: readonly FileCall[]): readonly Cell[] {
  const all = calls
    .filter(
      ({ name, changes, line }) => failing.test(name) && (changes || line.includes("/cache/v1")),
    )
    .flatMap((call) => errors.map((error) => ({ call, what: `error=${error}` })));
  return isFull ? all : spread(all, shortCells);
}

const swept = new Set([
  "a run that stores",
  "a run that restores spoilt outputs",
  "a run that restores from another file system",
]);
const warm: Scenario = {
  name: "a run with nothing to do",
  args: ["task", "build"],
  prepare: async (project) => {
    for (const _ of [1, 2]) await project.cuenv(["task", "build"]);
  },
};

describe("one call that fails changes nothing for the task", () => {
  for (const scenario of [...scenarios.filter(({ name }) => swept.has(name)), warm]) {
    it.skipIf(isLacking("strace"))(
      `${scenario.name}${lackOf("strace")}`,
      async () => {
        const report = await sweep(scenario, cells, errorAt);
        if (isFull) console.info(`${scenario.name}: ${summary(report)}`);
        const { tried, failures } = report;
        expect(failures, failures.join("\n")).toHaveLength(0);
        expect(tried).toBeGreaterThan(0);
      },
      timeoutMs,
    );
  }
});

/** Every call of these names fails, from the first: none of them is made by Node's own start. */
const alwaysFailing = "mkdir,rename,pwrite64,unlink,rmdir,symlink,link,ftruncate";

function disturbed(error: string): string[] {
  return [
    "strace",
    "-qq",
    "-o",
    "/dev/null",
    `--trace=${alwaysFailing}`,
    `--inject=${alwaysFailing}:error=${error}`,
  ];
}

async function buildDisturbed(project: FaultProject, error: string): Promise<CommandOutcome> {
  return project.cuenv(["task", "build"], { wrapper: disturbed(error), env: onePoolThread });
}

describe("a disk on which every change fails costs one warning", () => {
  for (const error of errors) {
    for (const restores of [false, true]) {
      const what = restores ? "restores" : "stores";
      it.skipIf(isLacking("strace"))(
        `of a run that ${what}: ${error}${lackOf("strace")}`,
        async () => {
          const project = disposableProject();
          await project.cuenv(["task", "build"]);
          const expected = readTree(project.workspace);
          if (restores) rmSync(project.path("out"), { recursive: true });
          else await project.cuenv(["cache", "clear"]);
          const outcome = await buildDisturbed(project, error);
          expect(outcomeProblems(outcome)).toEqual([]);
          expect(warnings(outcome.stderr), outcome.stderr).toHaveLength(1);
          expect(treeDifference(expected, readTree(project.workspace))).toBeUndefined();
        },
      );
    }
  }

  it.skipIf(isLacking("strace"))(
    `of a task that fails, whose exit code stays${lackOf("strace")}`,
    async () => {
      const project = disposableProject();
      const { code, stdout, stderr } = await project.cuenv(["task", "fail"], {
        wrapper: disturbed("ENOSPC"),
        env: onePoolThread,
      });
      expect([code, stdout, taskStderr(stderr)]).toEqual([3, "before\n", "trouble\n"]);
      expect(warnings(stderr).length).toBeLessThanOrEqual(1);
    },
  );
});
