import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { errorOf, projectsForTests } from "../test/projects.ts";
import { evaluateRemembered, evaluateToRemember, recallEvaluation } from "./index.ts";

const projects = projectsForTests();
let memoDirectory = "";
beforeAll(() => {
  memoDirectory = projects.make({});
});

const files = {
  "module/cue.mod/module.cue": 'module: "x.test/m@v0"\nlanguage: version: "v0.14.0"\n',
  "module/env.cue": 'package cuenv\nenv: ROOT: "r"\n',
  "module/lib/lib.cue": "package lib\na: 1\n",
  "module/app/env.cue": `@extern(embed)

package cuenv

import "x.test/m/lib"

n: lib.a
text: _ @embed(file=text.txt,type=text)
data: _ @embed(glob=data/*.json)
`,
  "module/app/text.txt": "t",
  "module/app/data/x.json": "{}",
};

/** Sets all times so far back that a stat vouches for the content. */
function settle(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) settle(join(folder, entry.name));
    else utimesSync(join(folder, entry.name), 1_700_000_000, 1_700_000_000);
  }
}

async function remembered(directory: string): Promise<boolean> {
  return !(await evaluateRemembered({ directory, memoDirectory })).isFresh;
}

describe("evaluateRemembered", () => {
  it("recalls what was evaluated, word for word", async () => {
    const root = projects.make(files);
    const directory = join(root, "module/app");
    const fresh = await evaluateRemembered({ directory, memoDirectory });
    const recalled = await evaluateRemembered({ directory, memoDirectory });
    expect([fresh.isFresh, recalled.isFresh]).toEqual([true, false]);
    expect({ ...recalled, inputs: [], isFresh: true }).toEqual({ ...fresh, inputs: [] });
    expect(recallEvaluation({ directory, memoDirectory })?.evaluation.value).toMatchObject({
      n: 1,
    });
  });

  it.each<[string, (root: string) => void]>([
    [
      "a file of the package",
      (root) =>
        writeFileSync(join(root, "module/app/env.cue"), files["module/app/env.cue"] + "z: 1\n"),
    ],
    [
      "a file of an ancestor",
      (root) => writeFileSync(join(root, "module/env.cue"), 'package cuenv\nenv: ROOT: "s"\n'),
    ],
    ["an import", (root) => writeFileSync(join(root, "module/lib/lib.cue"), "package lib\na: 2\n")],
    ["an embedded file", (root) => writeFileSync(join(root, "module/app/text.txt"), "u")],
    [
      "a file that a glob finds now",
      (root) => writeFileSync(join(root, "module/app/data/y.json"), "{}"),
    ],
    ["a file that a glob found", (root) => rmSync(join(root, "module/app/text.txt"))],
    [
      "another file of the package",
      (root) => writeFileSync(join(root, "module/app/more.cue"), "package cuenv\nx: 1\n"),
    ],
    [
      "another file in an ancestor",
      (root) => writeFileSync(join(root, "module/more.cue"), "package cuenv\nx: 1\n"),
    ],
    [
      "the module file",
      (root) =>
        writeFileSync(
          join(root, "module/cue.mod/module.cue"),
          'module: "x.test/m@v0"\nlanguage: version: "v0.15.0"\n',
        ),
    ],
    ["a nearer module root", (root) => mkdirSync(join(root, "module/app/cue.mod"))],
    [
      "a file of the same size and times",
      (root) => {
        const file = join(root, "module/app/text.txt");
        const { atime, mtime } = statSync(file);
        writeFileSync(file, "u");
        utimesSync(file, atime, mtime);
      },
    ],
    [
      "a file replaced by a folder",
      (root) => {
        rmSync(join(root, "module/app/text.txt"));
        mkdirSync(join(root, "module/app/text.txt"));
      },
    ],
  ])("evaluates again after a change of %s", async (_, change) => {
    const root = projects.make(files);
    settle(root);
    const directory = join(root, "module/app");
    await evaluateRemembered({ directory, memoDirectory });
    expect(recallEvaluation({ directory, memoDirectory })).toBeDefined();
    change(root);
    expect(recallEvaluation({ directory, memoDirectory })).toBeUndefined();
  });

  it("recalls after changes that do not count", async () => {
    const root = projects.make(files);
    const directory = join(root, "module/app");
    await evaluateRemembered({ directory, memoDirectory });
    writeFileSync(join(directory, "output.log"), "x");
    mkdirSync(join(directory, "dist"));
    writeFileSync(join(directory, "text.txt"), "t");
    utimesSync(join(directory, "env.cue"), 1_600_000_000, 1_600_000_000);
    expect(await remembered(directory)).toBe(true);
  });

  it("keeps packages, folders and validation apart", async () => {
    const directory = projects.make({ "a.cue": "package a\nx: 1\n", "b.cue": "package b\nx: 2\n" });
    const options = { directory, memoDirectory };
    await evaluateRemembered({ ...options, packageName: "a" });
    expect(recallEvaluation({ ...options, packageName: "b" })).toBeUndefined();
    expect(recallEvaluation({ ...options, packageName: "a", validate: false })).toBeUndefined();
    const moved = `${directory}-moved`;
    renameSync(directory, moved);
    expect(recallEvaluation({ directory: moved, memoDirectory, packageName: "a" })).toBeUndefined();
    renameSync(moved, directory);
  });

  it("does not remember errors", async () => {
    const directory = projects.make({ "env.cue": "package cuenv\na: 1 & 2\n" });
    await errorOf(evaluateRemembered({ directory, memoDirectory }));
    expect(recallEvaluation({ directory, memoDirectory })).toBeUndefined();
  });

  it("evaluates again when the memo is damaged at any byte", async () => {
    const own = projects.make({});
    const directory = projects.make({ "env.cue": "package cuenv\na: 1\n" });
    await evaluateRemembered({ directory, memoDirectory: own });
    const names = readdirSync(own, { recursive: true, encoding: "utf8" });
    const path = join(own, names.find((name) => name.endsWith(".json")) ?? "");
    const whole = readFileSync(path);
    expect(recallEvaluation({ directory, memoDirectory: own })).toBeDefined();
    for (let at = 0; at < whole.length; at += 7) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      writeFileSync(path, damaged);
      expect(recallEvaluation({ directory, memoDirectory: own })).toBeUndefined();
    }
    for (const length of [0, 1, 64, 65, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      expect(recallEvaluation({ directory, memoDirectory: own })).toBeUndefined();
    }
    const result = await evaluateRemembered({ directory, memoDirectory: own });
    expect(result.evaluation.value).toEqual({ a: 1 });
    expect(recallEvaluation({ directory, memoDirectory: own })).toBeDefined();
  });

  it("works without a folder that it can write", async () => {
    const file = projects.make({ occupied: "" });
    const directory = projects.make({ "env.cue": "package cuenv\na: 1\n" });
    const options = { directory, memoDirectory: join(file, "occupied", "memo") };
    expect((await evaluateRemembered(options)).evaluation.value).toEqual({ a: 1 });
    expect((await evaluateRemembered(options)).isFresh).toBe(true);
  });

  it("does not take what was remembered of one folder for another's, under a seal", async () => {
    const own = projects.make({});
    const seal = Buffer.from("a secret of this machine");
    const folders = ["echo good", "echo evil"].map((text) =>
      projects.make({ "env.cue": `package cuenv\na: "${text}"\n` }),
    );
    const [good = "", evil = ""] = folders;
    const memos = join(own, "evaluation/v1");
    const names: string[] = [];
    for (const directory of folders) {
      (await evaluateToRemember({ directory })).remember(own, seal);
      names.push(readdirSync(memos).find((name) => !names.includes(name)) ?? "");
    }
    expect(recallEvaluation({ directory: evil, memoDirectory: own, seal })).toBeDefined();
    copyFileSync(join(memos, names[1] ?? ""), join(memos, names[0] ?? ""));
    expect(recallEvaluation({ directory: good, memoDirectory: own, seal })).toBeUndefined();
  });

  it("leaves nothing but memos behind", async () => {
    const own = projects.make({});
    const directory = projects.make({ "env.cue": "package cuenv\na: 1\n" });
    await evaluateRemembered({ directory, memoDirectory: own });
    const names = readdirSync(own, { recursive: true, encoding: "utf8" });
    expect(
      names.filter((name) => !/^evaluation(\/v1(\/[0-9a-f]{64}\.json)?)?$/.test(name)),
    ).toEqual([]);
  });

  it("trusts no stat of a file that was young when it was read", async () => {
    const directory = projects.make({ "env.cue": "package cuenv\na: 1\n" });
    const file = join(directory, "env.cue");
    await evaluateRemembered({ directory, memoDirectory });
    // What a write within the same tick of the clock leaves behind: other bytes, same stat. The memo is made to
    // agree with it, for the change time cannot be set from here.
    writeFileSync(file, "package cuenv\na: 2\n");
    forgeStamps(directory, memoDirectory);
    expect(recallEvaluation({ directory, memoDirectory })).toBeUndefined();
  });

  it("reads no file whose stat vouches for it", async () => {
    const directory = projects.make({ "env.cue": "package cuenv\na: 1\n" });
    const file = join(directory, "env.cue");
    await evaluateRemembered({ directory, memoDirectory });
    forgeStamps(directory, memoDirectory, 60_000);
    // Had anybody looked, he would have seen this.
    writeFileSync(file, "package cuenv\na: 2\n");
    forgeStamps(directory, memoDirectory, 60_000);
    expect(recallEvaluation({ directory, memoDirectory })?.evaluation.value).toEqual({ a: 1 });
  });

  it("sees what a link leads to become something else", async () => {
    const directory = projects.make({
      "cue.mod/module.cue": 'module: "x.test/m@v0"\nlanguage: version: "v0.14.0"\n',
      "target.cue": "package cuenv\na: 1\n",
      "app/env.cue": "package cuenv\nb: 1\n",
    });
    symlinkSync("../target.cue", join(directory, "app/link.cue"));
    const app = join(directory, "app");
    expect(await remembered(app)).toBe(false);
    expect(await remembered(app)).toBe(true);
    writeFileSync(join(directory, "target.cue"), "package cuenv\na: 2\n");
    expect(await remembered(app)).toBe(false);
  });

  it("recalls without the evaluator, a worker, or any module of others but the one that opens files", () => {
    const directory = projects.make({ "env.cue": "package cuenv\na: 1\n" });
    const memo = JSON.stringify(new URL("memo.ts", import.meta.url).href);
    const index = JSON.stringify(new URL("index.ts", import.meta.url).href);
    const options = JSON.stringify({ directory, memoDirectory });
    const run = (program: string): string =>
      spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" })
        .stdout;
    run(
      `const { evaluateRemembered } = await import(${index}); await evaluateRemembered(${options});`,
    );
    const output = run(`import { registerHooks } from "node:module";
const seen = [];
registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } });
const { recallEvaluation } = await import(${memo});
const { evaluation } = recallEvaluation(${options});
console.log(JSON.stringify([evaluation.value, seen.map((url) => url.replace(/.*\\//, "")).sort()]));`);
    expect(JSON.parse(output)).toEqual([
      { a: 1 },
      [
        "decode-answer.ts",
        "evaluation-input.ts",
        "evaluator-identity.ts",
        "memo.ts",
        "node:crypto",
        "node:fs",
        "node:path",
        "own-file.ts",
      ],
    ]);
  });
});

/** Rewrites the stamps of the memo of a folder to what stat says now, read `ageMs` after the last change. */
function forgeStamps(directory: string, memo: string, ageMs = 0): void {
  for (const name of readdirSync(join(memo, "evaluation/v1"))) {
    const path = join(memo, "evaluation/v1", name);
    const body = JSON.parse(readFileSync(path, "utf8").slice(65));
    if (!body.inputs.some((input: { path: string }) => input.path.startsWith(directory))) continue;
    for (const input of body.inputs) {
      if (input.stamp === undefined) continue;
      const { size, mtimeMs, ctimeMs, ino } = statSync(input.path);
      input.stamp = [size, mtimeMs, ctimeMs, ino, Math.max(mtimeMs, ctimeMs) + ageMs];
    }
    const text = JSON.stringify(body);
    writeFileSync(path, `${sha256(text)}\n${text}`);
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

describe("evaluateToRemember", () => {
  it("keeps nothing until it is told where, and is recalled from there", async () => {
    const directory = join(projects.make(files), "module/app");
    const kept = projects.make({});
    const fresh = await evaluateToRemember({ directory });
    expect(readdirSync(kept)).toEqual([]);
    expect(recallEvaluation({ directory, memoDirectory: kept })).toBeUndefined();
    fresh.remember(kept);
    expect(recallEvaluation({ directory, memoDirectory: kept })?.evaluation).toEqual(
      fresh.evaluation,
    );
  });
});
