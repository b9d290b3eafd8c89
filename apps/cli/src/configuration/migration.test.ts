import { normalizeProject, type Project } from "@cuenv/config";
import { applyEdits, migrateCue, type Migration } from "@cuenv/config/migration";
import { disposeEvaluator, evaluate } from "@cuenv/cue";
import * as fc from "fast-check";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { meaningOf } from "./check-migration.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "cuenv-migration-")));
const path = join(folder, "env.cue");
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await disposeEvaluator();
});

interface Read {
  readonly project: Project;
  readonly migration: Migration;
}

async function read(text: string): Promise<Read> {
  writeFileSync(path, text);
  const { evaluation } = await evaluate({ directory: folder });
  const { value, positions } = evaluation;
  const project = normalizeProject(evaluation, { projectDirectory: "", workspaceRoot: folder });
  return { project, migration: migrateCue({ text, path, value, positions }) };
}

async function migrated(text: string): Promise<string> {
  const { migration } = await read(text);
  expect(migration.left).toEqual([]);
  return applyEdits(text, migration.edits);
}

const task = (lines: string): string =>
  `package cuenv\n\ntasks: build: {\n\tcommand: "x"\n${lines}\n}\n`;

describe("migrating env.cue", () => {
  it.each([
    ["cuenv 0.4: a struct with `enabled`", "\tcache: {enabled: false}", "\tcache: false"],
    [
      "cuenv 0.4: a struct with a filter",
      '\tcache: {enabled: true, env: {include: ["CC"], exclude: ["CCACHE_*"], useSmartDefaults: true}}',
      '\tcache: true\n\tcacheConfig: {envInclude: ["CC"], envExclude: ["CCACHE_*"]}',
    ],
    [
      "cuenv 0.6: `cache_env`",
      '\tcache_env: {include: ["A"]}',
      '\tcacheConfig: {envInclude: ["A"]}',
    ],
    [
      "`cacheEnv` beside a `cacheConfig`",
      '\tcacheEnv: include: ["A"]\n\tcacheConfig: {keyEpoch: 1}',
      '\tcacheConfig: {envInclude: ["A"], keyEpoch: 1}',
    ],
    [
      "what `cacheConfig` says anyway",
      '\tcache_env: include: ["A"]\n\tcacheConfig: envInclude: ["B"]',
      '\tcacheConfig: envInclude: ["B"]',
    ],
    ["cuenv 0.54: never", '\tcache: mode: "never"', "\tcache: false"],
    ["cuenv 0.54: read-write", '\tcache: {mode: "read-write"}', "\tcache: true"],
    [
      "cuenv 0.54: a mode and an age",
      '\tcache: {mode: "read", maxAge: "1h"}',
      '\tcache: true\n\tcacheConfig: {mode: "read", maxAge: "1h"}',
    ],
    [
      "comments, which stay",
      '\t// above\n\tcache: {\n\t\t// why\n\t\tmode: "never" // beside\n\t} // behind',
      "\t// above\n\t// why\n\t// beside\n\tcache: false // behind",
    ],
    [
      "a value that is computed",
      "\tcache: enabled: _on\n\t_on: 1 < 2",
      "\tcache: _on\n\t_on: 1 < 2",
    ],
    [
      "a long filter, in lines of its own",
      '\tcache_env: {include: ["A_LONG_NAME_OF_A_VARIABLE", "ANOTHER_LONG_NAME"], exclude: ["B_*"]}',
      '\tcacheConfig: {\n\t\tenvInclude: ["A_LONG_NAME_OF_A_VARIABLE", "ANOTHER_LONG_NAME"]\n\t\tenvExclude: ["B_*"]\n\t}',
    ],
  ])("row 40: rewrites %s", async (_, before, after) => {
    expect(await migrated(task(before))).toBe(task(after));
  });

  it.each([
    ['config: cacheMode: "read"', 'config: cache: defaultMode: "read"'],
    ["config: {cacheEnabled: false}", "config: {cache: enabled: false}"],
    [
      'config: {\n\tcacheMode: "read"\n\tcache: mode: "off"\n}',
      'config: {\n\tcache: defaultMode: "off"\n}',
    ],
    ['config: cache: base_dir: "/c"', 'config: cache: cacheDir: "/c"'],
    [
      'config: cache: {"baseDir": "/c", inlineThreshold: 1, maxSize: "1GiB"}',
      'config: cache: {"cacheDir": "/c", maxSize: "1GiB"}',
    ],
    [
      "config: cache: {\n\tstorage: {gc: 1}\n\tkeyEpoch: 1\n}",
      "config: cache: {\n\tkeyEpoch: 1\n}",
    ],
  ])("row 40: rewrites the settings %s", async (before, after) => {
    const text = (settings: string): string =>
      `package cuenv\n\n// first\n${settings}\ntasks: {}\n`;
    expect(await migrated(text(before))).toBe(text(after));
  });

  it("rewrites a template once, for all tasks that have it", async () => {
    const text = (cache: string): string =>
      `package cuenv\n\n#Base: {command: "x", ${cache}, ...}\ntasks: {a: #Base, b: #Base & {inputs: []}}\n`;
    expect(await migrated(text('cache: {mode: "never"}'))).toBe(text("cache: false"));
  });

  it("leaves alone what is no task's", async () => {
    const text = `package cuenv\n\nci: job: cache: {mode: "never"}\ntasks: group: tasks: cache: {command: "x"}\n`;
    expect(await migrated(text)).toBe(text);
  });

  it("says what it cannot rewrite, and why", async () => {
    const text = `package cuenv\n\n_shared: {mode: "never"}\ntasks: a: {command: "x", cache: _shared}\n`;
    const { migration } = await read(text);
    expect(migration).toMatchObject({
      edits: [],
      left: [{ form: "cache: _shared", reason: "its value is not written out in this place" }],
    });
  });
});

/** Tasks in the forms of all generations, in the layouts that people write. */
const list = fc.constantFrom('["A"]', '["B_*", "C"]', "[]");
const filter = fc.record(
  { include: list, exclude: list, useSmartDefaults: fc.constantFrom("true", "false") },
  { requiredKeys: [] },
);
const modes = fc.constantFrom('"never"', '"read"', '"read-write"', '"write"', '"Off"');
const struct = fc.record(
  {
    enabled: fc.constantFrom("true", "false"),
    mode: modes,
    maxAge: fc.constantFrom('"1h"', '"infinite"'),
    env: filter,
  },
  { requiredKeys: [] },
);
const config = fc.record(
  {
    envInclude: list,
    maxAge: fc.constant('"2d"'),
    mode: fc.constant('"read"'),
    keyEpoch: fc.constant("3"),
  },
  { requiredKeys: [] },
);
const layout = fc.record({
  isBlock: fc.boolean(),
  hasComments: fc.boolean(),
  isChained: fc.boolean(),
  indent: fc.constantFrom("\t", "  ", "    "),
});
type Fields = { readonly [name: string]: string | Fields };

function written(
  value: string | Fields,
  block: string | undefined,
  step: string,
  comment: string,
): string {
  if (typeof value === "string") return value;
  const fields = Object.entries(value);
  if (block === undefined)
    return `{${fields.map(([name, each]) => `${name}: ${written(each, undefined, step, "")}`).join(", ")}}`;
  const inner = block + step;
  const lines = fields.map(
    ([name, each], index) =>
      `${inner}${name}: ${written(each, inner, step, comment)}${comment === "" ? "" : ` // ${name} ${comment}${index}`}\n`,
  );
  return `{\n${lines.join("")}${block}}`;
}

const anyTask = fc
  .record(
    {
      cache: fc.oneof(struct, fc.constantFrom("true", "false")),
      cache_env: filter,
      cacheConfig: config,
    },
    { requiredKeys: [] },
  )
  .chain((fields) => layout.map((form) => ({ fields, form })));

function packageOf(
  tasks: readonly {
    fields: object;
    form: { isBlock: boolean; hasComments: boolean; isChained: boolean; indent: string };
  }[],
): string {
  const texts = tasks.map(({ fields, form }, index) => {
    const name = `t${index}`;
    const all = { command: '"x"', inputs: "[]", ...fields } as Fields;
    const comment = form.hasComments && form.isBlock ? `note ${name} ` : "";
    if (!form.isChained)
      return `tasks: ${name}: ${written(all, form.isBlock ? "" : undefined, form.indent, comment)}\n`;
    return Object.entries(all)
      .map(
        ([field, value]) =>
          `tasks: ${name}: ${field}: ${written(value, form.isBlock ? "" : undefined, form.indent, comment)}\n`,
      )
      .join("");
  });
  return `package cuenv\n\n${texts.join("")}`;
}

describe("migrating any env.cue", () => {
  it("row 40: keeps what tasks mean and every comment, leaves no deprecated form, and is done after one time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyTask, { minLength: 1, maxLength: 4 }), async (tasks) => {
        const before = packageOf(tasks);
        const old = await read(before);
        const after = applyEdits(before, old.migration.edits);
        const fresh = await read(after);
        expect(meaningOf(fresh.project), after).toEqual(meaningOf(old.project));
        const deprecated = fresh.project.warnings.filter(({ kind }) => kind === "deprecated");
        expect([deprecated, fresh.migration, old.migration.left], after).toEqual([
          [],
          { edits: [], migrated: [], left: [] },
          [],
        ]);
        const comments = before.match(/\/\/.*$/gm) ?? [];
        expect(
          comments.filter((comment) => !after.includes(comment)),
          after,
        ).toEqual([]);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
