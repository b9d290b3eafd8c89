import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { projectsForTests } from "../test/projects.ts";
import { conformsToSchema } from "./conforms-to-schema.ts";
import { loadEvaluatorCode } from "./evaluator-code.ts";
import { createEvaluatorInstance } from "./evaluator-instance.ts";
import { defaultLimits } from "./limits.ts";
import { packageFile } from "./package-file.ts";
import type { EvaluatorResult, SchemaUse } from "./wire.ts";

const projects = projectsForTests();
const evaluator = createEvaluatorInstance(
  await loadEvaluatorCode(packageFile("artifact/evaluator.wasm.zst")),
  { memoryBytes: defaultLimits.memoryBytes, schemaFolder: packageFile("schema") },
);

/** Parsed: the order of fields is as written, or as CUE sorts those of several structs. */
function answerTo(text: string, schema: SchemaUse): EvaluatorResult {
  const directory = projects.make({ "env.cue": `package cuenv\n${text}\n` });
  const request = { directory, root: directory, packageName: "", schema, limits: defaultLimits };
  const message = evaluator.evaluate(request);
  if (message.kind !== "answer") throw new Error(`the evaluator crashed: ${text}`);
  return JSON.parse(message.answer.replaceAll(directory, ""), withoutOutputs) as EvaluatorResult;
}

/** Where a whole task is copied to a free field, only the schema adds what its outputs are called. */
function withoutOutputs(_: string, value: unknown): unknown {
  const isOutput = (field: unknown): boolean =>
    typeof field === "object" && field !== null && "cuenvOutputRef" in field;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, field]) => !isOutput(field)));
}

/** Whether the check alone vouches for what a package gives without the schema. */
function vouchesFor(answer: EvaluatorResult): boolean {
  return "value" in answer && conformsToSchema(answer);
}
const conforms = (text: string): boolean => vouchesFor(answerTo(text, "none"));

const names =
  `description command args script scriptShell shell shellOptions workingDir dir env params dependencies dependsOn
  inputs outputs cache cacheKey cache_key cacheConfig cache_config cacheEnv cache_env timeout retry continueOnError labels
  hermetic captures security capabilities runtime dagger type mode maxConcurrency tasks stdout exitCode member`.split(
    /\s+/,
  );
const inner =
  `enabled env mode maxAge max_age include exclude useSmartDefaults envInclude env_mode customKeyComponents runtime
  keyEpoch timeout maxSize attempts delay errexit pipefail from path restrictDisk readOnlyPaths allowedHosts other`.split(
    /\s+/,
  );
const settings =
  `enabled mode default_mode cacheDir max_size evictionPolicy env_include runtime keyEpoch stats_retention_days
  inlineThreshold remote remote_cache $schema other`.split(/\s+/);

const scalar = fc.constantFrom(
  ...`"a" "definition" true 3 1.5 2.0 'b' null "1s" -1 [] ["a"] ["a",1] {} [{}] tasks.other [tasks.other] *"a"|5 5|*true string _x`.split(
    " ",
  ),
);
/** What the schema would take, by field: else hardly a random package were right. */
const right: Readonly<Record<string, string>> = {
  args: '["a"]',
  env: '{A: "b"}',
  params: "{}",
  shellOptions: "{errexit: true}",
  dependencies: '["other"]',
  dependsOn: "[tasks.other]",
  inputs: '["a"]',
  outputs: '["b"]',
  cache: '{mode: "read", env: {include: ["A"]}}',
  cacheConfig: "{keyEpoch: 2, customKeyComponents: {a: 1}}",
  cache_config: '{env_include: ["A"]}',
  cacheEnv: "{useSmartDefaults: true}",
  cache_env: '{exclude: ["A"]}',
  retry: "{attempts: 3, delay: 5}",
  continueOnError: "true",
  labels: '["a"]',
  hermetic: "true",
  captures: "{}",
  security: "{readOnlyPaths: []}",
  capabilities: '["a"]',
  dagger: "{}",
  maxConcurrency: "2",
  tasks: '{x: command: "x"}',
  stdout: '"x"',
  member: '{command: "m"}',
  enabled: "true",
  keyEpoch: "1",
  stats_retention_days: "30",
  max_size: '"1GiB"',
  env_include: '["A"]',
  runtime: '["node --version"]',
  remote: "{}",
  remote_cache: "{}",
  cacheEnabled: "true",
};
const struct = (keys: readonly string[], value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...keys), value, fc.nat(9)), {
      maxLength: 3,
      selector: ([name]) => name,
    })
    .map((fields) =>
      fields.map(([name, text, luck]) => {
        const chosen = luck > 1 ? (right[name] ?? '"a"') : text;
        return `${JSON.stringify(name)}: ${chosen}`;
      }),
    )
    .map((fields) => `{${fields.join(", ")}}`);
const deep = struct(inner, fc.oneof(scalar, struct(inner, scalar)));
const task = struct(names, fc.oneof(scalar, deep, struct(names, scalar)));
const config = struct(["cache", "cacheMode", "free"], fc.oneof(scalar, struct(settings, scalar)));
const packageText = fc
  .tuple(task, fc.oneof(task, fc.array(task, { maxLength: 2 }).map(String)), config)
  .map(([first, second, third]) => {
    const sequence = second.startsWith("{") ? second : `[${second}]`;
    return `_x: "a"\ntasks: {"one": ${first}, "two": ${sequence}, "other": command: "true"}\nconfig: ${third}`;
  });

describe("conformsToSchema", () => {
  it("vouches only for what the schema accepts, and leaves as it is", () => {
    let vouched = 0;
    fc.assert(
      fc.property(packageText, (text) => {
        const plain = answerTo(text, "none");
        if (!vouchesFor(plain)) return;
        vouched += 1;
        expect(answerTo(text, "unified"), text).toEqual(plain);
      }),
      { numRuns: process.env["CUENV_FULL_SWEEP"] === "1" ? 20_000 : 300 },
    );
    expect(vouched).toBeGreaterThan(30);
  });

  it("gives for every package what the schema unified gives", () => {
    fc.assert(
      fc.property(packageText, (text) => {
        expect(answerTo(text, "checks"), text).toEqual(answerTo(text, "unified"));
      }),
      { numRuns: process.env["CUENV_FULL_SWEEP"] === "1" ? 5000 : 60 },
    );
  });

  it.each([
    [
      "a usual project",
      'tasks: {a: {command: "true", inputs: ["a"], cache: mode: "read", retry: {attempts: 3}}}',
    ],
    [
      "groups and sequences",
      'tasks: {g: {a: {command: "a"}, b: script: "b"}, s: [{command: "c"}, g]}',
    ],
    [
      "references",
      'tasks: {a: {command: "a"}, b: {command: "b", dependsOn: [a]}, c: dependsOn: [tasks.a, b]}',
    ],
    [
      "settings",
      'config: cache: {enabled: true, max_size: "1GiB", keyEpoch: 2}\nname: "x"\nfree: 1.5'.replace(
        "1.5",
        "1",
      ),
    ],
    ["nothing", ""],
  ])("vouches for %s", (_, text) => {
    expect(conforms(text)).toBe(true);
  });

  it.each([
    ["an unknown field", 'tasks: a: {command: "true", input: ["a"]}'],
    ["a number where text belongs", "tasks: a: command: 5"],
    ["bytes where text belongs", "tasks: a: command: 'true'"],
    ["a float where an integer belongs", 'tasks: a: {command: "true", retry: attempts: 2.0}'],
    ["an unknown setting", "config: cache: {enable: true}"],
    ["null for a task", "tasks: a: null"],
    ["text for a task", 'tasks: a: "true"'],
    ["an output of a task that is written out", 'tasks: a: {command: "true", stdout: "x"}'],
  ])("leaves %s to the schema", (_, text) => {
    expect(conforms(text)).toBe(false);
  });

  it("leaves a package to the schema that asks whether a task has an output", () => {
    const text = 'tasks: {a: command: "true", if tasks.a.exitCode != _|_ {b: command: "b"}}';
    expect(answerTo(text, "checks")).toHaveProperty("value.tasks.b");
  });
});
