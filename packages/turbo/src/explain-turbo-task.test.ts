import { describe, expect, it } from "vitest";
import { explainTurboTask } from "./explain-turbo-task.ts";
import { parseRunSummary, type RunSummary } from "./run-summary.ts";

interface Task {
  readonly taskId: string;
  readonly [field: string]: unknown;
}

const usual = {
  hash: "0000000000000001",
  inputs: { "package.json": "aa", "src/in.txt": "bb" },
  hashOfExternalDependencies: "cc",
  command: "tsc",
  cliArguments: [],
  outputs: ["dist/**"],
  excludedOutputs: null,
  envMode: "strict",
  dependencies: [],
  environmentVariables: { specified: { env: ["LEVEL"] }, configured: ["LEVEL=dd"], inferred: [] },
  resolvedTaskDefinition: { passThroughEnv: null },
};

/** A summary as turbo writes it. */
function summary(tasks: readonly Task[], more: object = {}): RunSummary {
  const text = JSON.stringify({
    turboVersion: "2.11.11",
    globalCacheInputs: { rootKey: "key", files: {}, environmentVariables: {} },
    ...more,
    tasks: tasks.map((task) => ({ ...usual, ...task })),
  });
  return parseRunSummary(text, "a test");
}

/** What is said of `web#build` after one thing changed in it, or for all. */
function said(change: object, more: object = {}): readonly string[] {
  const before = summary([{ taskId: "web#build" }]);
  const after = summary([{ taskId: "web#build", hash: "0000000000000002", ...change }], more);
  return explainTurboTask(before, after, "web#build").map(({ text }) => text);
}

describe("why a task of turbo has another hash", () => {
  it.each([
    [{ inputs: { ...usual.inputs, "src/in.txt": "xx" } }, "src/in.txt changed"],
    [{ inputs: { ...usual.inputs, "src/new.txt": "xx" } }, "src/new.txt is new"],
    [{ inputs: { ...usual.inputs, constructor: "xx" } }, "constructor is new"],
    [{ inputs: { "package.json": "aa" } }, "src/in.txt is gone"],
    [
      { environmentVariables: { ...usual.environmentVariables, configured: ["LEVEL=ee"] } },
      "the variable LEVEL has another value",
    ],
    [
      { environmentVariables: { ...usual.environmentVariables, configured: ["LEVEL="] } },
      "the variable LEVEL is not set any more",
    ],
    [
      { environmentVariables: { ...usual.environmentVariables, inferred: ["VITE_A=ee"] } },
      "the variable VITE_A is set now",
    ],
    [{ command: "tsc -b" }, "command changed"],
    [{ cliArguments: ["--watch"] }, 'arguments: ["--watch"], before []'],
    [{ hashOfExternalDependencies: "xx" }, "packages that it gets from the lockfile changed"],
    [{ outputs: ["lib/**"] }, 'outputs: ["lib/**"], before ["dist/**"]'],
    [{ excludedOutputs: ["dist/tmp"] }, 'excluded outputs: ["dist/tmp"], before []'],
    [{ resolvedTaskDefinition: { passThroughEnv: ["A"] } }, 'passThroughEnv: ["A"], before []'],
    [{ envMode: "loose" }, "envMode changed"],
    [{ dependencies: ["lib#build"] }, "it depends on lib#build now"],
    [{}, "turbo gives it another hash, and names no input that changed"],
  ])("%j: is said", (change, text) => {
    expect(said(change)).toEqual([text]);
  });

  it.each([
    [{ files: { "tsconfig.json": "aa" } }, "the global dependency tsconfig.json is new"],
    [{ environmentVariables: { configured: ["CI=1"] } }, "the global variable CI is set now"],
    [{ rootKey: "other" }, "turbo's root key changed"],
    [{ hashOfInternalDependencies: "xx" }, "workspace packages of the root changed"],
    [{ engines: { node: "26" } }, "engines changed"],
  ])("global %j: is said", (change, text) => {
    const globals = { rootKey: "key", files: {}, environmentVariables: {}, ...change };
    expect(said({}, { globalCacheInputs: globals })).toEqual([text]);
  });

  it("names what somebody edited before what follows from it, two packages away", () => {
    const tasks = (hash: string, file: string): readonly Task[] => [
      { taskId: "core#build", hash: `${hash}1`, inputs: { "src/in.txt": file } },
      { taskId: "lib#build", hash: `${hash}2`, dependencies: ["core#build"] },
      { taskId: "web#build", hash: `${hash}3`, dependencies: ["lib#build", "core#build"] },
    ];
    const [before, after] = [summary(tasks("a", "1")), summary(tasks("b", "2"))];
    expect(explainTurboTask(before, after, "web#build").map(({ text }) => text)).toEqual([
      "lib#build has another hash: core#build has another hash: src/in.txt changed",
    ]);
    expect(explainTurboTask(before, after, "core#build")).toMatchObject([
      { kind: "inputChanged", name: "src/in.txt", before: "1", after: "2" },
    ]);
  });

  it("is nothing where the hash is the same, or one of the two does not know the task", () => {
    const [one, other] = [summary([{ taskId: "web#build" }]), summary([{ taskId: "lib#build" }])];
    expect(explainTurboTask(one, one, "web#build")).toEqual([]);
    expect(explainTurboTask(one, other, "web#build")).toEqual([]);
  });
});
