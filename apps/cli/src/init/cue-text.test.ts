import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { disposeEvaluator, evaluate } from "@cuenv/cue";
import { normalizeProject } from "@cuenv/config";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { cueFile, cueLabel, cueString } from "./cue-text.ts";
import { type Draft, draftTask } from "./draft.ts";
import { draftValue } from "./fit-draft.ts";

const folder = mkdtempSync(join(tmpdir(), "cue-text-"));
afterAll(async () => {
  await disposeEvaluator();
  rmSync(folder, { recursive: true, force: true });
});

async function evaluated(text: string): Promise<unknown> {
  writeFileSync(join(folder, "env.cue"), text);
  const { evaluation } = await evaluate({ directory: folder, validate: false });
  return evaluation.value;
}

function draftOf(tasks: Readonly<Record<string, string>>, more: Partial<Draft> = {}): Draft {
  return {
    sources: ["package.json"],
    cache: {},
    shared: [],
    notes: [],
    tasks: Object.entries(tasks).map(([name, command]) =>
      draftTask(name, { command, dependencies: [] }),
    ),
    ...more,
  };
}

/** Whatever a JSON file can hold, with what is special in CUE and shells more often than by chance. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc
    .array(
      fc.constantFrom(
        "\\(",
        "\\",
        '"',
        '"""',
        "'",
        "#",
        '#"',
        "${x}",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "//",
        "\u2028",
        "\ufeff",
        "a",
        " ",
        "\\u0041",
        "{",
        "}",
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join("")),
);

describe("the text of an env.cue", () => {
  it("evaluates to the scripts and names that it was made of, whatever is in them", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(text, text, { minKeys: 1, maxKeys: 40, noNullPrototype: true }),
        async (scripts) => {
          const whole = Object.fromEntries(
            Object.entries(scripts).map(([name, script]) => [
              name.toWellFormed().normalize("NFC"),
              script.toWellFormed(),
            ]),
          );
          const found = (await evaluated(cueFile(draftOf(whole)))) as {
            tasks: Record<string, { command: string }>;
          };
          const commands = Object.entries(found.tasks).map(([name, { command }]) => [
            name,
            command,
          ]);
          expect(Object.fromEntries(commands)).toEqual(whole);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("evaluates to the same lists, variables and settings, with the shared inputs in place", async () => {
    const task = draftTask("b-1", {
      command: "make",
      directory: ".",
      dependencies: ["a", "a"],
      inputs: ["src/**", "!src/*.test.ts"],
      outputs: [],
      cache: true,
      env: { A_B: "1", ["x y"]: '"' },
      envInclude: ["CI"],
      runtime: ["node --version"],
      usesShared: true,
    });
    const draft = draftOf(
      { a: "true" },
      {
        shared: Array.from({ length: 12 }, (_, index) => `//packages/number-${index}/**`),
        cache: { envInclude: ["X_*"], runtime: ["node --version"] },
      },
    );
    const all = { ...draft, tasks: [...draft.tasks, task] };
    expect(await evaluated(cueFile(all))).toEqual(draftValue(all));
  });

  it("holds notes as comments, which nothing in them can end", async () => {
    const message = "evil \ud800\ntasks: x: 1\r}\u2028// \u0085 \0";
    const draft = draftOf(
      { a: "true" },
      {
        notes: [
          { task: "a", message },
          { task: undefined, message },
        ],
      },
    );
    expect(await evaluated(cueFile(draft))).toEqual({ tasks: { a: { command: "true" } } });
  });

  it("loads with nothing in it", async () => {
    const value = await evaluated(cueFile(draftOf({})));
    expect(normalizeProject({ value: value as never }, { projectDirectory: "" }).tasks).toEqual({});
  });
});

describe("labels and strings", () => {
  it("are quoted where CUE would read something else", () => {
    expect(["build", "aB1_c"].map(cueLabel)).toEqual(["build", "aB1_c"]);
    for (const name of [
      "if",
      "for",
      "null",
      "_hidden",
      "#Def",
      "test:unit",
      "1",
      "",
      "a-b",
      "__proto__",
    ])
      expect(cueLabel(name), name).toBe(JSON.stringify(name));
  });

  it("keep what is no character as one that is", () => {
    expect(cueString("\ud800")).toBe('"\ufffd"');
  });
});
