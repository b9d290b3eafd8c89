import { chmodSync, renameSync, symlinkSync, unlinkSync, utimesSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { runJson, statusOf } from "./run-json.ts";
import { counting, createSandbox, cue } from "./sandbox.ts";

const globbed = { ...counting("globbed"), inputs: ["glob/**/*.ts", "!glob/**/*.gen.ts"] };
const project = createSandbox({
  "glob/a.ts": "a",
  "glob/deep/b.ts": "b",
  "folder/plain.txt": "x",
  "folder/.dot": "x",
  "folder/space and ünïcode.txt": "x",
  "extra/more.txt": "x",
  "extra/notes.md": "x",
  "links/target.txt": "x",
  "keyed/in.txt": "x",
  "ignored/.gitignore": "*.log\n/build\n",
  "ignored/a.log": "x",
  "ignored/a.txt": "x",
  "ignored/build/b.txt": "x",
  "env.cue": cue({
    tasks: {
      globbed,
      folder: { ...counting("folder"), inputs: ["folder"] },
      extra: {
        ...counting("extra"),
        inputs: ["extra/*.txt"],
        cacheConfig: { extraInputs: ["extra/config/*"], ignoreInputs: ["extra/skip.txt"] },
      },
      snake: {
        ...counting("snake"),
        inputs: ["extra/*.md"],
        cacheConfig: { extra_inputs: ["extra/snake"], ignore_inputs: ["extra/skip.md"] },
      },
      links: { ...counting("links"), inputs: ["links"] },
      none: { ...counting("none"), inputs: ["nothing/**/*.x"] },
      keyed: { ...counting("keyed"), inputs: ["keyed/in.txt"], cacheKey: "v1" },
      keyedToo: { ...counting("keyedToo", "echo other"), inputs: [], cacheKey: "v1" },
      ignored: { ...counting("ignored"), inputs: ["ignored/**"] },
      named: { ...counting("named"), inputs: ["ignored/a.log"] },
      components: {
        ...counting("components"),
        inputs: [],
        cacheConfig: { customKeyComponents: { api: "1", level: 2 } },
      },
    },
  }),
});
beforeAll(() => project.cuenv(["task"]));

/** The task's status after each change; it was a hit before the first. */
async function after(task: string, ...changes: readonly (() => void)[]): Promise<unknown[]> {
  await statusOf(project, task);
  expect(await statusOf(project, task)).toBe("hit");
  const found: unknown[] = [];
  for (const change of changes) {
    change();
    found.push(await statusOf(project, task));
  }
  return found;
}

describe.concurrent("input files and the key", () => {
  it("row 23: adding, editing, renaming and deleting a file that a glob matches is a miss", async () => {
    const statuses = await after(
      "globbed",
      () => project.write("glob/deep/c.ts", "c"),
      () => project.write("glob/a.ts", "A"),
      () => renameSync(project.path("glob/a.ts"), project.path("glob/z.ts")),
      () => project.remove("glob/deep/b.ts"),
    );
    expect(statuses).toEqual(["miss", "miss", "miss", "miss"]);
  });

  it("row 23: a directory is all below it: dotfiles, spaces, unicode, new folders; a touch changes nothing", async () => {
    const statuses = await after(
      "folder",
      () => project.write("folder/.dot", "y"),
      () => project.write("folder/space and ünïcode.txt", "y"),
      () => project.write("folder/new/x", ""),
      () => utimesSync(project.path("folder/plain.txt"), 1, 1),
      () => chmodSync(project.path("folder/plain.txt"), 0o755),
    );
    expect(statuses).toEqual(["miss", "miss", "miss", "hit", "miss"]);
  });

  it("row 23: an edit of equal size and modification time is seen", async () => {
    const own = createSandbox({
      "in.txt": "aaaa",
      "env.cue": cue({ tasks: { t: { command: "cat in.txt", inputs: ["in.txt"] } } }),
    });
    utimesSync(own.path("in.txt"), 1_000_000, 1_000_000);
    expect((await own.cuenv(["task", "t"])).stdout).toBe("aaaa");
    own.write("in.txt", "bbbb");
    utimesSync(own.path("in.txt"), 1_000_000, 1_000_000);
    expect((await own.cuenv(["task", "t"])).stdout).toBe("bbbb");
  });

  it("row 23: a link counts with its text and with what it points to", async () => {
    symlinkSync("target.txt", project.path("links/link"));
    const statuses = await after(
      "links",
      () => project.write("links/target.txt", "y"),
      () => {
        unlinkSync(project.path("links/link"));
        symlinkSync("./target.txt", project.path("links/link"));
      },
    );
    expect(statuses).toEqual(["miss", "miss"]);
  });

  it("row 23: patterns without a match are no error, and a first match is a miss", async () => {
    expect(await after("none", () => project.write("nothing/a/b.x", ""))).toEqual(["miss"]);
  });

  it("row 23: what a negation takes out does not move the key", async () => {
    const own = createSandbox({ "glob/a.ts": "a", "env.cue": cue({ tasks: { globbed } }) });
    await statusOf(own, "globbed");
    own.write("glob/x.gen.ts", "x");
    own.write("glob/readme.md", "x");
    expect(await statusOf(own, "globbed")).toBe("hit");
  });

  it("row 20: an extra input counts, an ignored one does not, and ignoring wins", async () => {
    const statuses = await after(
      "extra",
      () => project.write("extra/config/a", "x"),
      () => project.write("extra/skip.txt", "x"),
      () => project.write("extra/more.txt", "y"),
    );
    expect(statuses).toEqual(["miss", "hit", "miss"]);
    const inSnakeCase = await after(
      "snake",
      () => project.write("extra/snake", "x"),
      () => project.write("extra/skip.md", "x"),
    );
    expect(inSnakeCase).toEqual(["miss", "hit"]);
  });

  it("row 18: cacheKey replaces the input files in the key, and nothing else", async () => {
    expect(await after("keyed", () => project.write("keyed/in.txt", "y"))).toEqual(["hit"]);
    const args = ["--", "more"];
    expect(await statusOf(project, "keyed", { args })).toBe("miss");
  });

  it("row 18: two tasks with one cacheKey do not collide; another cacheKey is a miss", async () => {
    await statusOf(project, "keyed");
    expect((await runJson(project, ["keyedToo"])).tasks["keyedToo"]?.cache.status).toBe("miss");
    const file = (key: string): string =>
      cue({ tasks: { t: { command: "true", inputs: [], cacheKey: key } } });
    const own = createSandbox({ "env.cue": file("a") });
    await statusOf(own, "t");
    own.write("env.cue", file("b"));
    expect(await statusOf(own, "t")).toBe("miss");
  });

  it("row 21: a custom component's value moves the key, the order of the components does not", async () => {
    const file = (components: Record<string, unknown>): string =>
      cue({
        tasks: {
          t: { command: "true", inputs: [], cacheConfig: { customKeyComponents: components } },
        },
      });
    const own = createSandbox({ "env.cue": file({ api: "1", level: 2 }) });
    expect(await statusOf(own, "t")).toBe("miss");
    own.write("env.cue", file({ level: 2, api: "1" }));
    expect(await statusOf(own, "t")).toBe("hit");
    own.write("env.cue", file({ api: "1", level: 3 }));
    expect(await statusOf(own, "t")).toBe("miss");
  });

  it("row 23: files that git ignores count only where they are named", async () => {
    const statuses = await after(
      "ignored",
      () => project.write("ignored/a.log", "z"),
      () => project.write("ignored/build/b.txt", "z"),
      () => project.write("ignored/a.txt", "z"),
    );
    expect(statuses).toEqual(["hit", "hit", "miss"]);
    expect(await after("named", () => project.write("ignored/a.log", "zz"))).toEqual(["miss"]);
  });

  it("row 23: without `inputs` all files of the project count, but for ignored ones and outputs", async () => {
    const own = createSandbox({
      ".gitignore": "*.log\n",
      "a.txt": "a",
      "env.cue": cue({ tasks: { t: { command: "cat a.txt > out.txt", outputs: ["out.txt"] } } }),
    });
    expect(await statusOf(own, "t")).toBe("miss");
    own.write("x.log", "x");
    own.write("out.txt", "changed by hand");
    expect(await statusOf(own, "t")).toBe("hit");
    expect(own.read("out.txt")).toBe("a");
    own.write("b.txt", "b");
    expect(await statusOf(own, "t")).toBe("miss");
  });

  it("row 36: `//` names the workspace root, and the cache folder inside it is nobody's input", async () => {
    const own = createSandbox({
      "pnpm-workspace.yaml": "packages: [pkg]\n",
      "shared.txt": "1",
      "pkg/env.cue": cue({
        tasks: {
          shared: { command: "cat ../shared.txt", inputs: ["//shared.txt"] },
          all: { command: "true", inputs: ["//"] },
        },
      }),
    });
    const env = { CUENV_CACHE_DIR: own.path(".cache") };
    const cwd = "pkg";
    expect(await statusOf(own, "shared", { env, cwd })).toBe("miss");
    expect(await statusOf(own, "all", { env, cwd })).toBe("miss");
    expect(await statusOf(own, "all", { env, cwd })).toBe("hit");
    own.write("shared.txt", "2");
    expect(await statusOf(own, "shared", { env, cwd })).toBe("miss");
    expect(await statusOf(own, "all", { env, cwd })).toBe("miss");
  });

  it("row 23: a pattern that leaves the workspace is a configuration error with its place", async () => {
    const own = createSandbox({
      "env.cue": 'tasks: t: {\n\tcommand: "true"\n\tinputs: ["../secret.txt"]\n}\n',
    });
    const run = await own.cuenv(["task", "t"]);
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toMatch(/env\.cue:3:\d+: .*\.\.\/secret\.txt/);
  });

  it("row 23: an input that is not there is named when the task runs, once a task", async () => {
    const own = createSandbox({
      "src/a.ts": "a",
      "env.cue": cue({
        tasks: {
          make: {
            command: "mkdir -p made && cp src/a.ts made",
            inputs: ["src"],
            outputs: ["made"],
          },
          misspelt: { command: "cat src/a.ts", inputs: ["scr", "src/*.tsx", "src/*.ts"] },
          nothing: { command: "cat src/a.ts", inputs: ["lib/**/*.ts"], outputs: [] },
          fed: { command: "cat made/a.ts", inputs: ["made/**"], dependencies: ["make"] },
        },
      }),
    });
    const warnings = async (...args: readonly string[]): Promise<string[]> =>
      (await own.cuenv(["task", ...args])).stderr.match(/^warning: .*$/gm) ?? [];
    const all = ["misspelt", "nothing", "fed", "--jobs", "1"];
    expect(await warnings(...all)).toEqual([
      "warning: misspelt: its input scr is not there",
      "warning: nothing: its input pattern lib/**/*.ts matches no file that git does not ignore",
    ]);
    expect(await warnings(...all)).toEqual([]);
    own.remove("made");
    expect(await warnings("fed", "--force")).toEqual([]);
  });
});
