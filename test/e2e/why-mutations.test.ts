import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "./sandbox.ts";
import { fileMutations } from "./why-file-mutations.ts";
import { otherMutations } from "./why-other-mutations.ts";
import {
  before,
  cacheConfig,
  type Changed,
  config,
  environment,
  given,
  kept,
  project,
  task,
  tasks,
  writes,
} from "./why-project.ts";

const mutations = [...fileMutations, ...otherMutations];

beforeAll(async () => {
  for (const tool of ["tool", "global-tool"]) chmodSync(project.path(tool), 0o755);
  symlinkSync("one.txt", project.path("test/link"));
  // Twice: what tasks make are files of the project, too, and so inputs of "all".
  for (const names of [Object.keys(tasks), ["all"]]) {
    const run = await project.cuenv(["task", ...names], before);
    if (run.code !== 0) throw new Error(run.stderr);
  }
  cpSync(project.root, kept, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
});

afterEach(() => {
  rmSync(project.root, { recursive: true });
  cpSync(kept, project.root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  project.write("../secret", "c4n4ry-one\n");
});

/** The whole line, or what matches. */
function pattern(line: string | RegExp): RegExp {
  if (typeof line !== "string") return line;
  return new RegExp(`^${line.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}$`);
}

interface Why {
  readonly outcome: string;
  readonly text: string;
  readonly causes: readonly { readonly kind: string; readonly text: string }[];
}

async function ask(changed: Changed, ...more: readonly string[]): Promise<string> {
  const { task: name = "test", args = [], env = {} } = changed;
  const options = { env: { ...before.env, ...env } };
  const { code, stdout, stderr } = await project.cuenv(["why", name, ...more, ...args], options);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).not.toContain("c4n4ry");
  return stdout;
}

async function explain(changed: Changed): Promise<Why> {
  return JSON.parse(await ask(changed, "--json")) as Why;
}

/** The first line, as people have it. */
async function firstLine(changed: Changed): Promise<string> {
  const [line = ""] = (await ask(changed)).split("\n");
  return line;
}

describe("row 32: the first line of cuenv why names the cause", () => {
  it("of at least 40 kinds of change, each of its own", () => {
    expect(new Set(mutations.map(([what]) => what)).size).toBe(mutations.length);
    expect(mutations.length).toBeGreaterThanOrEqual(40);
  });

  it.each(mutations)("%s", async (_, kind, line, change) => {
    const why = await explain((await change(project)) ?? {});
    expect(why).toMatchObject({ outcome: "miss", causes: [{ kind }, ...why.causes.slice(1)] });
    expect(why.text).toMatch(pattern(line));
    expect(why.causes[0]?.text).toBe(why.text);
  });

  it.each<
    readonly [string, string, string | RegExp, (sandbox: Sandbox) => Changed | Promise<Changed>]
  >([
    [
      "a dependency that would run",
      "unknown",
      "gen would run first: src/a.txt changed",
      (p) => {
        p.write("src/a.txt", "changed\n");
        return {};
      },
    ],
    [
      "a dependency that would run, and an input of its own",
      "miss",
      "test/one.txt changed",
      (p) => {
        p.write("src/a.txt", "changed\n");
        p.write("test/one.txt", "changed\n");
        return {};
      },
    ],
    [
      "a task that is not cached any more",
      "off",
      "argv is not cached, and runs each time: the task says so",
      task("argv", { cache: false }),
    ],
    [
      "a mode that does not read",
      "miss",
      "the cache is not read",
      given({ task: "argv", env: { CUENV_CACHE: "write" } }),
    ],
    [
      "a result that is too old",
      "miss",
      /^its result is too old: stored 20/,
      async (p) => {
        p.write("env.cue", config({ argv: { cache: { maxAge: "1ms" } } }));
        return { task: "argv" };
      },
    ],
    [
      "a tool that fails",
      "miss",
      /\.\/tool/,
      (p) => {
        p.write("tool", "#!/bin/sh\nexit 3\n");
        chmodSync(p.path("tool"), 0o755);
        return {};
      },
    ],
  ])("says of %s: %s, %s", async (_, outcome, line, change) => {
    const changed = await change(project);
    const why = await explain(changed);
    expect(why.outcome).toBe(outcome);
    expect(why.text).toMatch(pattern(line));
    expect(await firstLine(changed)).toBe(why.text);
  });

  it("compares with the nearest earlier result, not with the last one", async () => {
    const production = { env: before.env ?? {} };
    const run = await project.cuenv(["task", "line", "-e", "production"], production);
    expect(run.code, run.stderr).toBe(0);
    project.write("test/one.txt", "edited\n");
    const { causes } = await explain({ task: "line" });
    expect(causes.map(({ text }) => text)).toEqual(["test/one.txt changed"]);
    expect(await firstLine({ task: "line", args: ["-e", "production"] })).toBe(
      "test/one.txt changed",
    );
  });

  it.each<readonly [string, (sandbox: Sandbox) => Changed | void]>([
    ["nothing at all", () => {}],
    ["a touched file", (p) => utimesSync(p.path("test/one.txt"), 1, 1)],
    ["an ignored input", writes("test/notes.md", "edited\n")],
    ["a file that git ignores", writes("ignored/x.txt", "x")],
    ["a file of nobody's", writes("other.txt", "x")],
    [
      "an empty folder that no pattern names",
      (p) => {
        mkdirSync(p.path("void"));
      },
    ],
    ["a variable of nobody's", environment({ OTHER: "1" })],
    ["the description", task("test", { description: "Tests it" })],
    [
      "the order of components",
      cacheConfig({ customKeyComponents: { level: 2, flavour: "plain" } }),
    ],
    ["a retry", task("test", { retry: { attempts: 2 } })],
  ])("is a hit after %s", async (_, change) => {
    expect(await firstLine(change(project) ?? {})).toMatch(/^hit: test has a stored result/);
  });

  it("says that a result is gone, when the same inputs had one", async () => {
    rmSync(`${project.cacheDir}/v1/ac`, { recursive: true });
    expect(await firstLine({ task: "keyed" })).toBe("its result is no longer in the cache");
  });
});
