import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, it } from "vitest";
import { launcher, temporaryFolder } from "./sandbox.ts";
import {
  makeTurboWorkspace,
  runProgram,
  turboProgram,
  type TurboWorkspace,
} from "./turbo-workspace.ts";

const schema = fileURLToPath(new URL("../../docs/schemas/turbo-why.schema.json", import.meta.url));

interface Answer {
  readonly version: number;
  readonly outcome: string;
  readonly text: string;
  readonly causes: readonly { readonly kind: string; readonly name: string }[];
  readonly since: unknown;
}

/** With these fields of the task besides. */
function turboJson(fields: object = {}): string {
  const build = {
    dependsOn: ["^build"],
    outputs: ["dist/**"],
    env: ["LEVEL"],
    passThroughEnv: ["RUNS"],
  };
  return JSON.stringify({
    globalEnv: ["GLOBE"],
    globalDependencies: ["shared.txt"],
    tasks: { build: { ...build, ...fields } },
  });
}

let workspace: TurboWorkspace;
let cacheDir: string;

beforeAll(async () => {
  cacheDir = join(temporaryFolder(), "cache");
  workspace = makeTurboWorkspace();
  workspace.write("turbo.json", turboJson());
  workspace.write("shared.txt", "shared\n");
  mkdirSync(join(workspace.root, "node_modules", ".bin"), { recursive: true });
  symlinkSync(turboProgram("2.11.11"), join(workspace.root, "node_modules", ".bin", "turbo"));
  const run = await cuenv(["turbo", "run", "build"]);
  if (run.code !== 0) throw new Error(run.output);
});

function cuenv(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return runProgram([process.execPath, launcher, ...args], {
    cwd: workspace.root,
    env: workspace.env({ CUENV_CACHE_DIR: cacheDir, CUENV_TRUST: "off", ...env }),
  });
}

async function why(task: string, env: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { output, code } = await cuenv(["turbo", "why", task, "--json"], env);
  expect(code, output).toBe(0);
  const answer = JSON.parse(output) as Answer;
  const validate = new Ajv2020({ formats: { "date-time": true }, allowUnionTypes: true }).compile(
    JSON.parse(readFileSync(schema, "utf8")) as object,
  );
  expect(validate(answer) ? [] : validate.errors).toEqual([]);
  return answer;
}

/** A change, and its undoing by git. */
async function after(change: () => void, task: string, env = {}): Promise<Answer> {
  change();
  try {
    return await why(task, env);
  } finally {
    spawnSync("git", ["checkout", "-q", "."], { cwd: workspace.root });
    rmSync(join(workspace.root, "packages/lib/src/new.txt"), { force: true });
  }
}

describe("cuenv turbo why", () => {
  const edit = (name: string, content: string) => (): void => workspace.write(name, content);
  const withTask = (fields: object): (() => void) => edit("turbo.json", turboJson(fields));
  beforeAll(() => {
    spawnSync("git", ["add", "-A"], { cwd: workspace.root });
  });

  it("says of what nothing changed that it is a hit", async () => {
    expect(await why("lib#build")).toMatchObject({
      outcome: "hit",
      text: "nothing changed",
      causes: [],
      since: { commit: expect.stringMatching(/^[0-9a-f]{40}$/), turboVersion: "2.11.11" },
    });
  });

  it.each([
    [
      "a file that changed",
      edit("packages/lib/src/in.txt", "other\n"),
      {},
      "inputChanged",
      "src/in.txt changed",
    ],
    [
      "a new file",
      edit("packages/lib/src/new.txt", "new\n"),
      {},
      "inputAdded",
      "src/new.txt is new",
    ],
    [
      "a file that is gone",
      (): void => rmSync(join(workspace.root, "packages/lib/src/in.txt")),
      {},
      "inputRemoved",
      "src/in.txt is gone",
    ],
    [
      "a variable",
      (): void => undefined,
      { LEVEL: "3" },
      "variableChanged",
      "the variable LEVEL is set now",
    ],
    [
      "a global variable",
      (): void => undefined,
      { GLOBE: "x" },
      "globalVariable",
      "the global variable GLOBE is set now",
    ],
    [
      "a global dependency",
      edit("shared.txt", "changed\n"),
      {},
      "globalFile",
      "the global dependency shared.txt changed",
    ],
    [
      "declared outputs",
      withTask({ outputs: ["dist/**", "out/**"] }),
      {},
      "outputsDeclared",
      'outputs: ["dist/**","out/**"], before ["dist/**"]',
    ],
    [
      "declared variables",
      withTask({ env: ["LEVEL", "MORE"] }),
      {},
      "variablesDeclared",
      'env: ["LEVEL","MORE"], before ["LEVEL"]',
    ],
    [
      "a dependency, with what changed there",
      edit("packages/core/src/in.txt", "other\n"),
      {},
      "dependencyChanged",
      "core#build has another hash: src/in.txt changed",
    ],
  ] as const)("names %s first", async (_what, change, env, kind, text) => {
    const answer = await after(change, "lib#build", env);
    expect(answer).toMatchObject({ outcome: "miss", text });
    expect(answer.causes[0]?.kind).toBe(kind);
  });

  it("asks no remote cache, not one of turbo's own either", async () => {
    const asked: (string | undefined)[] = [];
    const remote = createServer(({ url }, response) => {
      asked.push(url);
      response.end("{}");
    });
    await new Promise<void>((done) => void remote.listen(0, "127.0.0.1", done));
    const TURBO_API = `http://127.0.0.1:${(remote.address() as AddressInfo).port}`;
    const env = {
      TURBO_API,
      TURBO_TOKEN: "any",
      TURBO_TEAM: "acme",
      TURBO_REMOTE_ONLY: "true",
    };
    const change = edit("packages/lib/src/in.txt", "other\n");
    expect(await after(change, "lib#build", env)).toMatchObject({ text: "src/in.txt changed" });
    remote.close();
    expect(asked).toEqual([]);
  });

  it.each([
    [
      "lbi#build",
      'cannot explain lbi#build: turbo knows no package "lbi"',
      "did you mean lib#build? packages: app, core, lib",
    ],
    [
      "lib#biuld",
      'cannot explain lib#biuld: turbo.json has no task "biuld"',
      "did you mean lib#build? tasks of lib: build",
    ],
    ["nothing#build", 'turbo knows no package "nothing"', "packages: app, core, lib"],
    ["lib#check", 'turbo.json has no task "check"', 'below "tasks" in turbo.json'],
  ])("takes the unknown %s for wrong usage, and names what is near", async (task, ...texts) => {
    const scripts = { build: "sh ../../build.sh lib", check: "true" };
    const manifest = { name: "lib", version: "1.0.0", scripts, dependencies: { core: "*" } };
    if (task === "lib#check")
      workspace.write("packages/lib/package.json", JSON.stringify(manifest));
    const { code, output } = await cuenv(["turbo", "why", task]);
    spawnSync("git", ["checkout", "-q", "."], { cwd: workspace.root });
    expect(code).toBe(2);
    for (const text of texts) expect(output).toContain(text);
  });

  it("says what turbo complains of, with its place", async () => {
    workspace.write("turbo.json", '{"tasks":{"build":{"outpts":[]}}}');
    const { code, output } = await cuenv(["turbo", "why", "lib#build"]);
    spawnSync("git", ["checkout", "-q", "."], { cwd: workspace.root });
    expect(code).toBe(70);
    expect(output).toContain("unknown key `outpts`. (turbo.json:1:20) [TURBO_SUMMARY]");
  });

  it("says what to install where there is no turbo", async () => {
    const { code, output } = await runProgram(
      [process.execPath, launcher, "turbo", "why", "lib#build"],
      { cwd: temporaryFolder(), env: { PATH: "/nowhere", CUENV_CACHE_DIR: cacheDir } },
    );
    expect(code).toBe(70);
    expect(output).toContain("there is no such program in PATH");
    expect(output).toContain("npm install --save-dev turbo");
  });

  it("says so when it knows no earlier run", async () => {
    const runs = join(workspace.root, ".turbo", "runs");
    expect(readdirSync(runs)).toHaveLength(1);
    rmSync(runs, { recursive: true });
    expect(await why("lib#build")).toMatchObject({
      text: "no earlier run of lib#build is known",
      since: null,
    });
  });

  it("takes a task without its package for wrong usage", async () => {
    expect(await cuenv(["turbo", "why", "lib"])).toMatchObject({ code: 2 });
  });

  it("keeps results of other tools apart where the settings name them", async () => {
    const runtime = (version: string) => ({ CUENV_CACHE_RUNTIME: `echo ${version}` });
    workspace.wipe();
    mkdirSync(join(workspace.root, "node_modules", ".bin"), { recursive: true });
    symlinkSync(turboProgram("2.11.11"), join(workspace.root, "node_modules", ".bin", "turbo"));
    const before = workspace.runs()["app"] ?? 0;
    await cuenv(["turbo", "run", "build"], runtime("1"));
    expect(workspace.runs()["app"]).toBe(before + 1);
    await cuenv(["turbo", "run", "build"], runtime("2"));
    expect(workspace.runs()["app"]).toBe(before + 2);
    await cuenv(["turbo", "run", "build"], runtime("1"));
    expect(workspace.runs()["app"]).toBe(before + 2);
    expect(await why("app#build", runtime("1"))).toMatchObject({ outcome: "hit" });
    expect(await why("app#build", runtime("3"))).toMatchObject({ outcome: "miss" });
    expect(
      (await cuenv(["turbo", "run", "build"], { CUENV_CACHE_RUNTIME: "exit 3" })).output,
    ).toContain("TURBO_RUNTIME");
  });
});
