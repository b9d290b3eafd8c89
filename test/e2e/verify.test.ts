import { readdirSync, statSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { counting, createSandbox, cue, type Sandbox } from "./sandbox.ts";

const secret = { resolver: { command: "cat", args: ["../secret"] } };

function newProject(): Sandbox {
  return createSandbox({
    "../secret": "s3cr3t-value\n",
    "src/a": "one\ntwo\n",
    "env.cue": cue({
      tasks: {
        same: {
          ...counting(
            "same",
            "mkdir out; cat src/* > out/all; ln -s all out/link; mkdir out/empty",
          ),
          inputs: ["src"],
          outputs: ["out"],
        },
        differs: {
          ...counting(
            "differs",
            "mkdir d; echo fixed > d/fixed; (echo one; wc -l < ../differs; echo three) > d/text; head -c 9 /dev/urandom > d/bytes; n=$(wc -l < ../differs); touch d/only$n; ln -s $n d/link; touch d/mode; [ $n = 1 ] || chmod +x d/mode",
          ),
          inputs: ["src"],
          outputs: ["d"],
        },
        after: {
          ...counting("after", "cat out/all > after.txt"),
          inputs: [],
          outputs: ["after.txt"],
          dependencies: ["same"],
        },
        fails: {
          ...counting("fails", "echo made > f.txt; [ $(wc -l < ../fails) = 1 ]"),
          inputs: [],
          outputs: ["f.txt"],
        },
        edits: {
          ...counting("edits", "[ $(wc -l < ../edits) = 1 ] || echo more >> src/a; echo e > e.txt"),
          inputs: ["src"],
          outputs: ["e.txt"],
        },
        prints: { ...counting("prints", "date +%N"), inputs: ["src"] },
        seeing: {
          ...counting(
            "seeing",
            "(wc -l < ../seeing; echo $TOKEN) > seen.txt; sed -i 2s/.*/x/ seen.txt",
          ),
          inputs: [],
          outputs: ["seen.txt"],
          env: { TOKEN: secret },
        },
        lazy: {
          ...counting("lazy", "[ -e lazy.txt ] || wc -l < ../lazy > lazy.txt"),
          inputs: [],
          outputs: ["lazy.txt"],
        },
        slow: {
          command: "if [ -e ../again ]; then touch ../started; sleep 30; fi; echo made > slow.txt",
          inputs: [],
          outputs: ["slow.txt"],
        },
        loose: { command: "true" },
        greet: { command: 'echo "$0" > g.txt', inputs: [], outputs: ["g.txt"] },
      },
    }),
  });
}

interface Verified {
  readonly verdict: string;
  readonly outputs: number;
  readonly differences: readonly {
    readonly path: string;
    readonly difference: string;
    readonly [field: string]: unknown;
  }[];
}

async function verify(
  project: Sandbox,
  task: string,
  code: number,
  ...more: readonly string[]
): Promise<Verified> {
  const run = await project.cuenv(["verify", task, "--json", ...more]);
  expect(run.code, run.stdout + run.stderr).toBe(code);
  return JSON.parse(run.stdout) as Verified;
}

/** Every file of the cache folder but what speeds things up. */
function storedFiles({ cacheDir }: Sandbox): readonly string[] {
  const files = readdirSync(`${cacheDir}/v1`, { recursive: true, encoding: "utf8" });
  return files.filter(
    (file) => /^(?:cas|ac)\//.test(file) && statSync(`${cacheDir}/v1/${file}`).isFile(),
  );
}

describe("cuenv verify", () => {
  it("says that a task is reproducible, having run it once more, from nothing", async () => {
    const project = newProject();
    await project.cuenv(["task", "after"]);
    expect(await verify(project, "same", 0)).toMatchObject({
      verdict: "same",
      outputs: 2,
      differences: [],
    });
    expect(project.count("../same")).toBe(2);
    const { stdout } = await project.cuenv(["verify", "after"]);
    expect(stdout).toMatch(
      /^after is reproducible: 1 output made again, byte for byte \([0-9a-f]{12}\)\n$/,
    );
    expect(project.count("../same")).toBe(2);
    expect(project.count("../after")).toBe(2);
  });

  it("names each output that differs, the byte and for text the line; exit code 5", async () => {
    const project = newProject();
    await project.cuenv(["task", "differs"]);
    const stored = storedFiles(project);
    const { verdict, differences } = await verify(project, "differs", 5);
    expect(verdict).toBe("different");
    const none = { offset: null, line: null, before: null, after: null };
    expect(differences).toEqual([
      {
        path: "d/bytes",
        difference: "content",
        offset: expect.any(Number),
        line: null,
        before: null,
        after: null,
      },
      { path: "d/link", difference: "target", ...none, before: "1", after: "2" },
      { path: "d/mode", difference: "mode", ...none },
      { path: "d/only1", difference: "missing", ...none },
      { path: "d/only2", difference: "added", ...none },
      { path: "d/text", difference: "content", offset: 4, line: 2, before: "1", after: "2" },
    ]);
    expect(storedFiles(project)).toEqual(stored);
    const { stdout, code } = await project.cuenv(["verify", "differs"]);
    expect(code).toBe(5);
    expect(stdout).toMatch(/^differs is not reproducible: 6 outputs differ/);
    expect(stdout).toContain("  d/text differs at line 2, byte 4\n    stored 1\n    again  3\n");
  });

  it("stores nothing, and leaves the stored result in the workspace; with --keep what was made", async () => {
    const project = newProject();
    await project.cuenv(["task", "differs"]);
    project.write("d/stray", "of somebody");
    await verify(project, "differs", 5);
    expect(project.read("d/text")).toBe("one\n1\nthree\n");
    expect(project.exists("d/only2")).toBe(false);
    const hit = await project.cuenv(["task", "differs", "--json"]);
    expect(JSON.parse(hit.stdout)).toMatchObject({ summary: { hits: 1 } });
    expect(JSON.parse(hit.stdout)).toMatchObject({ tasks: [{ restoredFiles: 0 }] });
    await verify(project, "differs", 5, "--keep");
    expect(project.read("d/text")).toBe("one\n3\nthree\n");
  });

  it("is not taken in by outputs that are there already", async () => {
    const project = newProject();
    await project.cuenv(["task", "lazy"]);
    expect(await verify(project, "lazy", 5)).toMatchObject({
      differences: [{ path: "lazy.txt", line: 1 }],
    });
  });

  it("says when the task fails, or changes what it reads", async () => {
    const project = newProject();
    await project.cuenv(["task", "fails", "edits"]);
    expect(await verify(project, "fails", 5)).toMatchObject({ verdict: "failed", exitCode: 1 });
    expect(project.read("f.txt")).toBe("made\n");
    expect((await project.cuenv(["verify", "fails"])).stdout).toMatch(
      /^fails failed when it ran again \(exit code 1\)/,
    );
  });

  it("puts the stored result back when it is interrupted", async () => {
    const project = newProject();
    await project.cuenv(["task", "slow"]);
    project.write("../again", "");
    let pid = 0;
    const run = project.cuenv(["verify", "slow"], { onStart: (started) => (pid = started) });
    await vi.waitUntil(() => project.exists("../started"), { timeout: 20_000 });
    expect(project.exists("slow.txt")).toBe(false);
    process.kill(pid, "SIGINT");
    expect(await run).toMatchObject({ code: 130, stdout: "" });
    expect(project.read("slow.txt")).toBe("made\n");
  });

  it("compares outputs, and not what is printed", async () => {
    const project = newProject();
    await project.cuenv(["task", "prints"]);
    const run = await project.cuenv(["verify", "prints"]);
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toMatch(/^prints succeeds again; it declares no outputs/);
  });

  it("shows no line of a task that sees secrets", async () => {
    const project = newProject();
    await project.cuenv(["task", "seeing"]);
    const run = await project.cuenv(["verify", "seeing", "--json"]);
    expect(run.code).toBe(5);
    expect(JSON.parse(run.stdout)).toMatchObject({
      differences: [{ path: "seen.txt", line: 1, before: null, after: null }],
    });
  });

  it("says when there is nothing to compare with, and runs nothing then", async () => {
    const project = newProject();
    for (const task of ["same", "after", "loose"]) {
      const run = await project.cuenv(["verify", task]);
      expect(run).toMatchObject({ code: 2, stdout: "" });
      expect(run.stderr).toMatch(new RegExp(`cannot verify ${task}: .*RUN_NOTHING_STORED`));
    }
    expect(project.count("../same")).toBe(0);
    await project.cuenv(["task", "greet"]);
    expect((await project.cuenv(["verify", "greet", "--", "x"])).code).toBe(2);
    const off = await project.cuenv(["verify", "greet"], { env: { CUENV_CACHE: "off" } });
    expect(off).toMatchObject({ code: 2 });
    expect(off.stderr).toContain("the cache is off");
  });
});
