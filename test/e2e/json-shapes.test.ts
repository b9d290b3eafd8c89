import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../apps/cli/src/command-line/command-table.ts";
import { counting, createSandbox, cue, type Outcome } from "./sandbox.ts";

const docs = fileURLToPath(new URL("../../docs", import.meta.url));
const schemaFiles = readdirSync(`${docs}/schemas`);

/** What prints for our own scripts, or is another program's. */
const withoutJson = new Set(["__complete", "turbo"]);
/** `serve` does not end by itself, `turbo why` needs turbo: tried by tests of their own. */
const elsewhere = ["serve", "turbo why", "nx why"];

const task = { ...counting("runs", "mkdir -p out && cat src/* > out/all.txt"), inputs: ["src"] };
const project = createSandbox({
  "src/a.txt": "a",
  "env.cue": cue({
    env: { SHARED: "value" },
    tasks: {
      build: { ...task, outputs: ["out"], description: "Builds it", env: { LEVEL: 1 } },
      test: { command: "wc", args: ["out/all.txt"], inputs: [], dependencies: ["build"] },
      loose: { command: "date +%N > stamp", inputs: [], outputs: ["stamp"] },
      plain: { command: "echo", args: ["printed"] },
      fails: { command: "exit 7", dependencies: ["plain"] },
      after: { command: "true", dependencies: ["fails"] },
      wrong: { command: "echo", env: { S: { resolver: { command: "no-such-program" } } } },
      group: { type: "group", one: { command: "true" }, two: { command: "true" } },
      steps: [{ command: "true" }, { command: "true" }],
      boxed: { command: "true", security: { restrictDisk: true } },
    },
  }),
});
const broken = createSandbox({ "env.cue": 'package cuenv\n\ntasks: build: {comand: "x"}\n' });
const keys: string[] = [];
let keyId = "";

beforeAll(async () => {
  project.write("../plain/package.json", '{"scripts":{"build":"tsc","prepare":"husky"}}');
  for (const text of ["a", "b"]) {
    project.write("src/a.txt", text);
    const { stdout } = await project.cuenv(["task", "build", "loose", "--json"]);
    keys.push(...(JSON.parse(stdout) as { tasks: { key: string }[] }).tasks.map(({ key }) => key));
  }
  keyId = (JSON.parse((await project.cuenv(["keys", "export", "--json"])).stdout) as { id: string })
    .id;
  await project.cuenv(["keys", "generate", "../other.key"]);
  const { stdout } = await project.cuenv(["keys", "export", "../other.key"]);
  project.write("../other.pub", stdout);
});

type Invocation = readonly string[];

/** What a command is tried with, each in this order in one project: [] is the command alone. Exit codes other than 0 are said. */
const rows: Readonly<Record<string, readonly (Invocation | readonly [Invocation, number])[]>> = {
  task: [
    [],
    ["build", "test", "plain", "group", "steps"],
    [["after", "--continue-on-error"], 7],
    [["wrong"], 3],
    ["build", "loose", "plain", "--dry-run"],
    ["test", "--cache=off"],
  ],
  exec: [
    ["--", "echo", "printed"],
    [["--", "sh", "-c", "exit 3"], 3],
    [["--", "no-such-program"], 127],
  ],
  why: [["build"], ["plain"], ["test"]],
  graph: [[], ["test", "--status"], ["--status"], ["--format", "json"]],
  verify: [["build"], [["loose"], 5]],
  "cache key": [["build"]],
  "cache show": [["KEY0"]],
  "cache diff": [["KEY0", "KEY2"]],
  init: [
    ["-C", "../plain", "--print"],
    ["-C", "../plain"],
  ],
  inspect: [[], [".", "../plain"]],
  doctor: [[]],
  completions: [["bash"], ["zsh"], ["fish"]],
  "cache stats": [[]],
  "cache config": [[]],
  "cache validate": [[]],
  "cache init": [["--dry-run"]],
  "cache migrate": [["--dry-run"]],
  "cache verify": [[], ["--repair"]],
  "cache attest": [["KEY0"], ["KEY0", "--sign"]],
  "cache audit": [[["--rebuild", "100%", "build", "loose"], 4]],
  "cache cleanup": [[]],
  "cache prune": [["--max-size", "1GiB"]],
  "cache purge": [["--key-id", "KEYID"]],
  "cache clear": [[]],
  "serve token": [["ci"], ["ci", "--namespaces", "a,b", "--scopes", "read"]],
  "turbo sync": [["--dry-run"], [["--check"], 1]],
  "keys generate": [["../third.key"]],
  "keys list": [[]],
  "keys export": [[]],
  "keys trust": [["../other.pub"]],
  "keys rotate": [["--keep", "1d"]],
  "keys revoke": [["KEYID"], ["KEYID", "--since", "2026-01-31"]],
};

interface Schema {
  [key: string]: unknown;
}

/** As published, a document may have more fields than its schema says; here each field must be said. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema).map(([name, value]) => [name, closed(value)] as const);
  const made: Schema = Object.fromEntries(entries);
  const isOpen = "properties" in made && made["type"] === "object";
  return isOpen ? { additionalProperties: false, ...made } : made;
}

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/);
const compiled = new Map<string, ValidateFunction>();

function validatorOf(name: string): ValidateFunction {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const text = readFileSync(`${docs}/schemas/${name}.schema.json`, "utf8");
  const made = ajv.compile(closed(JSON.parse(text)) as Schema);
  compiled.set(name, made);
  return made;
}

function slugOf(command: string): string {
  return command.replaceAll(" ", "-");
}

/** The one document on stdout, after its schema was asked. */
function documentOf({ stdout, stderr }: Outcome, schema: string): Record<string, unknown> {
  expect(stdout, stderr).toMatch(/^\{"version":1,.*\}\n$/);
  const document = JSON.parse(stdout) as Record<string, unknown>;
  const validate = validatorOf(schema);
  expect(validate(document) ? [] : validate.errors, stdout).toEqual([]);
  return document;
}

function filled(word: string): string {
  const at = /^KEY(\d)$/.exec(word)?.[1];
  if (at !== undefined) return keys[Number(at)] ?? "";
  return word === "KEYID" ? keyId : word;
}

const named = commands.map(({ name, flags }) => ({ name, flags }));
const withJson = named.filter(({ name }) => !withoutJson.has(name));

describe("rows 32 and 50: --json", () => {
  it.each(withJson)("$name: has a schema that docs/json.md links to", ({ name, flags }) => {
    expect(flags["json"]).toMatchObject({ type: "boolean" });
    const file = `${slugOf(name)}.schema.json`;
    expect(schemaFiles).toContain(file);
    expect(readFileSync(`${docs}/json.md`, "utf8")).toContain(`(schemas/${file})`);
  });

  it("has no schema that belongs to no command", () => {
    const known = [...withJson.map(({ name }) => slugOf(name)), "error"];
    expect(schemaFiles.map((file) => file.replace(".schema.json", "")).toSorted()).toEqual(
      known.toSorted(),
    );
  });

  it("is tried with every command", () => {
    const tried = [...Object.keys(rows), ...elsewhere];
    expect(tried.toSorted()).toEqual(withJson.map(({ name }) => name).toSorted());
  });

  it.each(Object.entries(rows).map(([name, tried]) => ({ name, tried })))(
    "$name: prints the document that its schema says, and nothing else, on stdout",
    async ({ name, tried }) => {
      for (const row of tried) {
        const [args, code] = isWithCode(row) ? row : [row, 0];
        const words = args.map(filled);
        const given = words.includes("--")
          ? words.toSpliced(words.indexOf("--"), 0, "--json")
          : [...words, "--json"];
        const run = await project.cuenv([...name.split(" "), ...given]);
        expect(run.code, `${given.join(" ")}: ${run.stdout}${run.stderr}`).toBe(code);
        documentOf(run, slugOf(name));
      }
    },
  );

  it("serve: prints its document as soon as it listens, and nothing else until it ends", async () => {
    const run = await project.cuenv(["serve", "--http", "0", "--json"], {
      onStart: (pid) => setTimeout(() => process.kill(pid, "SIGTERM"), 2_000),
    });
    expect(run).toMatchObject({ code: 0 });
    documentOf(run, "serve");
  });

  it.each(withJson)(
    "$name: an error is one document, with the exit code that it has without",
    async ({ name }) => {
      const words = [...name.split(" "), "--no-such-flag"];
      const run = await project.cuenv([...words, "--json"]);
      expect(run).toMatchObject({ code: 2, stderr: "" });
      expect(documentOf(run, "error")).toMatchObject({
        error: { code: "USAGE", hint: expect.any(String), file: null, line: null, column: null },
      });
      expect(await project.cuenv(words)).toMatchObject({ code: 2, stdout: "" });
    },
  );

  it("says where the file is wrong, and all that is wrong", async () => {
    const run = await broken.cuenv(["task", "build", "--json"]);
    expect(run.code).toBe(3);
    const { error } = documentOf(run, "error");
    expect(error).toMatchObject({
      code: expect.stringMatching(/^C[A-Z]+_/),
      hint: expect.stringContaining("command"),
      file: broken.path("env.cue"),
      line: 3,
      column: expect.any(Number),
    });
    expect(await broken.cuenv(["task", "build"])).toMatchObject({ code: 3, stdout: "" });
  });

  it("task: --summary FILE has the document of the run, or of the dry run, and stdout is the tasks'", async () => {
    const run = await project.cuenv(["task", "plain", "--summary", "../summary.json"]);
    expect(run).toMatchObject({ code: 0, stdout: "printed\n" });
    const outcome = (file: string): Outcome => ({ ...run, stdout: project.read(file) });
    expect(documentOf(outcome("../summary.json"), "task")).toMatchObject({
      tasks: [{ name: "plain", outcome: "succeeded", cache: { status: "off" } }],
    });
    await project.cuenv(["task", "plain", "--dry-run", "--summary", "../planned.json"]);
    expect(documentOf(outcome("../planned.json"), "task")).toMatchObject({
      dryRun: true,
      tasks: [{ name: "plain", outcome: "planned" }],
    });
    expect(existsSync(project.path("summary.json"))).toBe(false);
  });
});

function isWithCode(
  row: Invocation | readonly [Invocation, number],
): row is readonly [Invocation, number] {
  return typeof row[1] === "number";
}
