import { array, assert, constantFrom, option, property, record, subarray } from "fast-check";
import { parse, type ParseError } from "jsonc-parser";
import { expect, it } from "vitest";
import { syncCommand } from "../../test/sync-command.ts";
import { syncTurboFiles, type SyncResult } from "./sync-turbo-files.ts";
import type { SyncPackage } from "./sync-workspace.ts";

const names = ["a", "b", "c"] as const;
const patterns = ["src", ".", "!src/x", "//packages/one/out", "//", "gen", "src/*.ts"];
const declared = record({
  name: constantFrom(...names),
  dependencies: subarray(["a", "b"]),
  inputs: option(subarray(patterns), { nil: null }),
  outputs: option(subarray(["out", "gen", "!out/x", "*.log"]), { nil: null }),
  cache: constantFrom("off" as const, "read-write" as const, "read" as const),
  include: subarray(["CI", "APP_*"]),
  secrets: subarray(["TOKEN"]),
  script: option(constantFrom("cuenv task x --only", "make")),
});
type Declared = ReturnType<typeof declared.generate>["value"];

function packageOf(path: string, tasks: readonly Declared[]): SyncPackage {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  return {
    name: path.split("/").at(-1) ?? "",
    path,
    scripts: Object.fromEntries(
      [...byName.values()].flatMap(({ name, script }) => (script === null ? [] : [[name, script]])),
    ),
    tasks: [...byName.values()].map((task) => {
      const { include, secrets } = task;
      const dependencies = task.dependencies.filter(
        (name) => name < task.name && byName.has(name as "a"),
      );
      const plain = syncCommand(task.name, { ...task, line: null, dependencies });
      return { ...plain, environment: { ...plain.environment, secrets, include } };
    }),
    cuenvRoot: "",
    rootInCuenv: "",
    cueFiles: [`${path}/env.cue`],
    ignoredOutputs: ["out"],
    // Some have, and which is all the same.
    hasEnvironments: tasks.length === 2,
  };
}

const starts = [
  undefined,
  "{}",
  '{"tasks": {}}',
  '{"tasks": {"a": {"dependsOn": ["^a", "z#b"], "outputLogs": "none", "outputs": []}, "own": {}}}',
  '{\r\n\t// said\r\n\t"tasks": {\r\n\t\t"b": {"persistent": true}, // long\r\n\t\t"two#c": {},\r\n\t},\r\n}\r\n',
  '{\n  "tasks": {\n    "c": { // mine\n      "passThroughEnv": ["X"], /* x */\n      "env": ["Y"] },\n  }\n}\n',
];

function textsAfter(
  given: ReadonlyMap<string, string>,
  { files }: SyncResult,
): ReadonlyMap<string, string> {
  return new Map([...given, ...files.map(({ path, after }) => [path, after] as const)]);
}

it("a second sync has nothing to do, whatever was there and whatever was synced before; and fields of others stay", () => {
  const workspace = array(array(declared, { maxLength: 3 }), { minLength: 1, maxLength: 3 });
  const holds = property(workspace, workspace, constantFrom(...starts), (before, after, start) => {
    let texts: ReadonlyMap<string, string> = new Map(
      start === undefined ? [] : [["turbo.json", start]],
    );
    const sync = (all: readonly (readonly Declared[])[]): SyncResult =>
      syncTurboFiles(
        {
          packages: all.map((tasks, at) =>
            packageOf(`packages/${["one", "two", "three"][at]}`, tasks),
          ),
          others: [],
          runtime: [],
        },
        (path) => texts.get(path),
      );
    for (const all of [before, after]) {
      texts = textsAfter(texts, sync(all));
      expect(sync(all).files).toEqual([]);
    }
    for (const text of texts.values()) {
      const errors: ParseError[] = [];
      const { tasks = {} } = parse(text, errors, { allowTrailingComma: true }) as {
        tasks?: Record<string, Record<string, unknown>>;
      };
      expect(errors, text).toEqual([]);
      // A task that waits for itself is a circle to turbo.
      for (const [name, { dependsOn = [] }] of Object.entries(tasks))
        expect(dependsOn as string[], text).not.toContain(name);
    }
    const root = texts.get("turbo.json") ?? "";
    for (const kept of ["// said", "// long", "// mine", "outputLogs", '"own"', '"^a"', '"z#b"'])
      expect(root.includes(kept) || start?.includes(kept) !== true, root).toBe(true);
  });
  assert(holds, { numRuns: 300 });
});
