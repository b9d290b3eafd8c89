import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codesOf, fixture, problemsOf, projectOf } from "../../test/projects.ts";
import type { Data, EvaluatedPackage } from "../evaluated-package.ts";
import { normalizeProject } from "./normalize-project.ts";

const options = { projectDirectory: "app", workspaceRoot: "/repo" };

/** The exit codes and kinds of what is wrong; a failure that is no CuenvError is thrown. */
function kindsOfProblems(evaluated: EvaluatedPackage): readonly string[] {
  const problems = problemsOf(() => normalizeProject(evaluated, options));
  return problems.map(({ code, exitCode }) => `${exitCode} ${code.slice(0, 7)}`);
}

describe("hostile data", () => {
  it("row 29, T18: any data at all gives a project or a configuration error", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const data = value as Data;
        for (const whole of [data, { tasks: data, env: data, config: data }])
          expect(kindsOfProblems({ value: whole }).every((code) => code === "3 CONFIG_")).toBe(
            true,
          );
      }),
      { numRuns: 500 },
    );
  });

  it("row 29: any data in the place of any field of a good project does, too", () => {
    const eras = (["era-0.4", "era-0.6", "era-0.54"] as const).map((name) => fixture(name));
    const strange = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom<Data>(
        "",
        "\0",
        "../../..",
        [],
        {},
        [null],
        { tasks: {} },
        { type: "group" },
        -1,
        1e308,
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...eras), fc.nat(), strange, (era, at, replacement) => {
        const copy = structuredClone(era) as { value: Data };
        const places = placesIn(copy.value);
        const [holder, key] = places[at % places.length] ?? [];
        if (holder === undefined || key === undefined) return;
        holder[key] = replacement as Data;
        expect(kindsOfProblems(copy).every((code) => code === "3 CONFIG_")).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("T18: takes fields that look like a prototype for fields", () => {
    const text = `{"tasks": {
      "__proto__": {"command": "a", "dependencies": ["constructor"], "env": {"__proto__": "x", "A": "1"}},
      "constructor": {"command": "b", "toString": "x"},
      "hasOwnProperty": {"command": "c", "cacheConfig": {"customKeyComponents": {"__proto__": "1"}}}
    }}`;
    expect(codesOf(() => normalizeProject({ value: JSON.parse(text) }, options))).toEqual([
      "CONFIG_NAME",
      "CONFIG_UNKNOWN_FIELD",
    ]);
    expect(({} as Record<string, unknown>)["command"]).toBeUndefined();
    const fine = JSON.parse(
      '{"tasks": {"constructor": {"command": "b"}, "__proto__": {"command": "c"}}, "env": {"A": "1"}}',
    );
    const project = normalizeProject({ value: fine }, options);
    expect(Object.keys(project.tasks)).toEqual(["constructor", "__proto__"]);
    expect(Object.getPrototypeOf(project.tasks)).toBeNull();
    expect(Object.getPrototypeOf(project.env)).toBeNull();
  });

  it("ends on nesting that would exhaust the stack", () => {
    let tasks: unknown = { command: "x" };
    for (let depth = 0; depth < 5000; depth += 1) tasks = { type: "group", g: tasks };
    expect(codesOf(() => projectOf({ g: tasks }))).toEqual(["CONFIG_TYPE"]);
  });

  it("keeps no more problems than anybody reads", () => {
    const tasks: Record<string, unknown> = {};
    for (let index = 0; index < 1000; index += 1) tasks[`t${index}`] = { command: 1 };
    expect(problemsOf(() => projectOf(tasks))).toHaveLength(100);
  });

  it("shows no long value and no line break in a message", () => {
    const [problem] = problemsOf(() =>
      projectOf({ a: { command: "x", workingDir: `\n${"y".repeat(1e5)}`, dir: 3 } }),
    );
    expect(problem?.message.length).toBeLessThan(300);
    const [other] = problemsOf(() =>
      projectOf({ a: { command: "x", dependencies: ["\n".repeat(1e5)] } }),
    );
    expect(other?.message).not.toContain("\n");
    expect(other?.message.length).toBeLessThan(300);
  });
});

type Holder = Record<string, Data>;

/** Every place in the data that a value can be put in. */
function placesIn(value: Data): (readonly [Holder, string])[] {
  const places: (readonly [Holder, string])[] = [];
  const open: Data[] = [value];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (typeof at !== "object" || at === null) continue;
    for (const [key, inner] of Object.entries(at)) {
      places.push([at as Holder, key]);
      open.push(inner);
    }
  }
  return places;
}
