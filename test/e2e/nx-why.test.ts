import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, cue, type Sandbox } from "./sandbox.ts";

interface Answer {
  readonly outcome: string;
  readonly text: string;
  readonly causes: readonly { readonly kind: string; readonly text: string }[];
  readonly since: { readonly hash: string } | null;
  readonly changes: readonly { readonly text: string }[];
}

const schema = fileURLToPath(new URL("../../docs/schemas/nx-why.schema.json", import.meta.url));
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/);
const validate = ajv.compile(JSON.parse(readFileSync(schema, "utf8")) as object);

const gen = { command: "mkdir -p gen; cp in.txt gen/a", inputs: ["in.txt"], outputs: ["gen"] };
const build = {
  command: "cat gen/a src/*",
  inputs: ["src"],
  dependencies: ["gen"],
  cacheConfig: { envInclude: ["LEVEL"], runtime: ["cat version"] },
};

describe("cuenv nx why", () => {
  let sandbox: Sandbox;
  const runs: Record<string, unknown>[] = [];
  beforeEach(() => {
    runs.length = 0;
    sandbox = createSandbox({
      "nx.json": "{}",
      "packages/app/env.cue": cue({ tasks: { gen, build, steps: [build] } }),
      "packages/app/in.txt": "1",
      "packages/app/src/a.ts": "1",
      "packages/app/version": "1",
    });
  });

  /** As Nx runs a target of @cuenv/nx, and the plugin then keeps what Nx hashed. */
  async function run(
    hash: string,
    nodes: Readonly<Record<string, string>> = {},
    task = "build",
    configuration?: string,
  ) {
    for (const name of ["gen", task]) {
      const inIt = configuration === undefined ? {} : { CUENV_ENV: configuration };
      const env = { NX_TASK_HASH: hash, LEVEL: "1", ...inIt };
      const args = ["task", name, "--only", "--uncached"];
      const { code, stderr } = await sandbox.cuenv(args, { cwd: "packages/app", env });
      expect(code, stderr).toBe(0);
    }
    runs.unshift({ hash, at: new Date().toISOString(), status: "success", nodes });
    const target = ["app", task.replace("[0]", ".0"), configuration].filter(Boolean).join(":");
    const tasks = { [target]: { root: "packages/app", runs } };
    sandbox.write(".nx/workspace-data/cuenv-runs-v1.json", JSON.stringify({ version: 1, tasks }));
  }

  async function why(target = "app:build", env: Readonly<Record<string, string>> = {}) {
    const { stdout, code, stderr } = await sandbox.cuenv(["nx", "why", target, "--json"], {
      env: { LEVEL: "1", ...env },
    });
    expect(code, stderr).toBe(0);
    const answer: unknown = JSON.parse(stdout);
    expect(validate(answer) ? [] : validate.errors, stdout).toEqual([]);
    return answer as Answer;
  }

  it("names the file, variable, tool, command or output of a dependency that changed since the last run", async () => {
    await run("1");
    expect(await why()).toMatchObject({ outcome: "unchanged", since: { hash: "1" } });
    expect(await why("app:build", { LEVEL: "2" })).toMatchObject({
      outcome: "changed",
      text: "variable LEVEL changed",
    });
    const changes: readonly (readonly [string, string, string, string])[] = [
      ["src/a.ts", "2", "1", "packages/app/src/a.ts changed"],
      ["version", "2", "1", "cat version changed: 1 → 2"],
      ["gen/a", "2", "1", "output of gen packages/app/gen/a changed"],
    ];
    for (const [file, after, before, text] of changes) {
      sandbox.write(`packages/app/${file}`, after);
      expect(
        (await why()).causes.map((cause) => cause.text),
        file,
      ).toEqual([text]);
      sandbox.write(`packages/app/${file}`, before);
    }
    const other = { ...build, command: "cat gen/a" };
    sandbox.write("packages/app/env.cue", cue({ tasks: { gen, build: other } }));
    expect((await why()).causes[0]?.kind).toBe("command");
  });

  it("says what had changed in the last run, in what Nx hashed", async () => {
    await run("1", { "app:packages/app/src": "a", "env:LEVEL": "x", AllExternalDependencies: "l" });
    await run("2", { "app:packages/app/src": "b", "env:LEVEL": "y", AllExternalDependencies: "l" });
    const { changes, outcome } = await why();
    expect(outcome).toBe("unchanged");
    expect(changes.map(({ text }) => text)).toEqual([
      "files of app changed: packages/app/src",
      "variable LEVEL changed",
    ]);
    const { stdout } = await sandbox.cuenv(["nx", "why", "app:build"], { env: { LEVEL: "1" } });
    expect(stdout).toMatch(
      /^nothing changed since the last run\nthe last run, of .* \(success\), had another hash/,
    );
  });

  it("finds the task of a target whose name Nx would not take", async () => {
    await run("1", {}, "steps[0]");
    sandbox.write("packages/app/src/b.ts", "");
    expect(await why("app:steps.0")).toMatchObject({ text: "packages/app/src/b.ts added" });
  });

  it("compares a target with a configuration in that environment, and any in the one of the plugin's options", async () => {
    const env = { SIZE: "small", environment: { production: { SIZE: "large" } } };
    sandbox.write("packages/app/env.cue", cue({ env, tasks: { gen, build } }));
    await run("1", {}, "build", "production");
    expect(await why("app:build:production")).toMatchObject({ outcome: "unchanged" });
    sandbox.write("packages/app/src/b.ts", "");
    const added = { text: "packages/app/src/b.ts added" };
    expect(await why("app:build:production")).toMatchObject(added);
    expect(await why("app:build:none")).toMatchObject({ outcome: "unknown" });
    const plugin = { plugin: "@cuenv/nx", options: { environment: "production" } };
    sandbox.write("nx.json", JSON.stringify({ plugins: ["other", plugin] }));
    await run("2", {}, "build", "production");
    const file = ".nx/workspace-data/cuenv-runs-v1.json";
    sandbox.write(file, sandbox.read(file).replace("app:build:production", "app:build"));
    expect(await why()).toMatchObject({ outcome: "unchanged" });
  });

  it("compares a target of a project that has not the environment of the plugin's options without one", async () => {
    const plugin = { plugin: "@cuenv/nx", options: { environment: "staging" } };
    sandbox.write("nx.json", JSON.stringify({ plugins: [plugin] }));
    await run("1");
    expect(await why()).toMatchObject({ outcome: "unchanged" });
  });

  it("says so when nothing is known, or the target is none", async () => {
    expect(await why()).toMatchObject({
      outcome: "unknown",
      text: "no earlier run of app:build is known",
      since: null,
    });
    await run("1");
    sandbox.remove("../cache");
    expect(await why()).toMatchObject({ outcome: "unknown", since: null });
    expect(await sandbox.cuenv(["nx", "why", "app"])).toMatchObject({ code: 2 });
    sandbox.remove("nx.json");
    expect(await sandbox.cuenv(["nx", "why", "app:build"])).toMatchObject({ code: 2 });
  });

  it("keeps nothing with the cache off, or for who is not Nx", async () => {
    const args = ["task", "build", "--only", "--uncached"];
    const options = { cwd: "packages/app" };
    await sandbox.cuenv(args, options);
    const NX_TASK_HASH = "1";
    await sandbox.cuenv(args, { ...options, env: { NX_TASK_HASH, CUENV_CACHE: "off" } });
    await run("2");
    expect((await why()).since?.hash).toBe("2");
  });
});
