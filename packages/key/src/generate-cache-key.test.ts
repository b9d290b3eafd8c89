import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type Files, freshIndex, temporaryWorkspace } from "../test/temporary-workspace.ts";
import { buildAction, keySchema } from "./build-action.ts";
import { type CacheKeyRequest, generateCacheKey } from "./generate-cache-key.ts";
import { createInputMemo, type InputMemo } from "./input-memo.ts";

/** Mutation tests do with fewer. */
const processes = Number(process.env["CUENV_FRESH_PROCESSES"] ?? 100);

describe("generateCacheKey", () => {
  const files: Files = {
    "p/src/a.ts": "1",
    "p/src/run.sh": "2",
    "p/src/link": { link: "a.ts" },
    "p/package.json": "{}",
    "p/note.log": "",
    "shared/x": "x",
    "elsewhere/y": "y",
  };

  function keyIn(root: string, change: Partial<CacheKeyRequest> = {}): string {
    return generateCacheKey({
      index: freshIndex(root),
      digestFunction: "sha256",
      task: "build",
      command: ["make"],
      projectDirectory: "p",
      inputs: ["src", "*.json", "//shared"],
      outputs: ["dist"],
      environment: { host: {}, declared: {}, include: [], exclude: [] },
      ...change,
    }).hash;
  }

  const declared: readonly (readonly [name: string, change: (root: string) => void])[] = [
    ["an edit", (root) => writeFileSync(join(root, "p/src/a.ts"), "changed")],
    ["a new file", (root) => writeFileSync(join(root, "p/src/new.ts"), "")],
    ["a renamed file", (root) => renameSync(join(root, "p/src/a.ts"), join(root, "p/src/b.ts"))],
    ["a deleted file", (root) => unlinkSync(join(root, "p/src/run.sh"))],
    ["an exec bit", (root) => chmodSync(join(root, "p/src/run.sh"), 0o755)],
    ["an edit beyond the project", (root) => writeFileSync(join(root, "shared/x"), "changed")],
  ];
  it.each(declared)("row 23: misses after %s", (_name, change) => {
    const root = temporaryWorkspace(files);
    const before = keyIn(root);
    change(root);
    expect(keyIn(root)).not.toBe(before);
  });

  const undeclared: readonly (readonly [name: string, change: (root: string) => void])[] = [
    ["a touch", (root) => utimesSync(join(root, "p/src/a.ts"), 1, 1)],
    ["an edit of another file", (root) => writeFileSync(join(root, "elsewhere/y"), "changed")],
    ["a new file that no pattern matches", (root) => writeFileSync(join(root, "p/other.log"), "")],
    ["group permissions", (root) => chmodSync(join(root, "p/src/a.ts"), 0o664)],
    ["writing the same bytes again", (root) => writeFileSync(join(root, "p/src/a.ts"), "1")],
  ];
  it.each(undeclared)("row 23: hits after %s", (_name, change) => {
    const root = temporaryWorkspace(files);
    const before = keyIn(root);
    change(root);
    expect(keyIn(root)).toBe(before);
  });

  it("row 20: misses after an edit of an extra input, hits after one of an ignored input", () => {
    const root = temporaryWorkspace(files);
    const change = { extraInputs: ["//elsewhere"], ignoreInputs: ["src/a.ts", "//elsewhere/z"] };
    const before = keyIn(root, change);
    writeFileSync(join(root, "p/src/a.ts"), "changed");
    writeFileSync(join(root, "elsewhere/z"), "new");
    expect(keyIn(root, change)).toBe(before);
    writeFileSync(join(root, "elsewhere/y"), "changed");
    expect(keyIn(root, change)).not.toBe(before);
  });

  it("row 18: with a cacheKey looks at no files, nor at what is wrong with them", () => {
    const root = temporaryWorkspace(files);
    const generate = (request: Partial<CacheKeyRequest>) =>
      generateCacheKey({
        index: freshIndex(root),
        digestFunction: "sha256",
        task: "t",
        command: ["make"],
        projectDirectory: "p",
        inputs: ["gone", "src"],
        environment: { host: {}, declared: {}, include: [], exclude: [] },
        ...request,
      });
    expect(generate({}).problems).toEqual([{ kind: "missing", path: "p/gone", pattern: "gone" }]);
    const keyed = generate({ cacheKey: "mine" });
    expect(keyed.problems).toEqual([]);
    expect(keyed.components.inputs).toEqual([]);
    expect(generate({ cacheKey: "mine", inputs: ["*.json"] }).hash).toBe(keyed.hash);
  });

  it("has the project's folder, the epoch 0 and the namespace `default` where none is given", () => {
    const root = temporaryWorkspace(files);
    const plain = keyIn(root);
    for (const change of [
      { workingDirectory: "." },
      { workingDirectory: join(root, "p") },
      { keyEpoch: 0 },
      { namespace: "default" },
      { dependencyOutputs: [] },
    ])
      expect(keyIn(root, change), JSON.stringify(change)).toBe(plain);
    for (const change of [
      { workingDirectory: ".." },
      { keyEpoch: 1 },
      { namespace: "other" },
      { outputs: [] },
    ])
      expect(keyIn(root, change), JSON.stringify(change)).not.toBe(plain);
  });

  it("does not depend on outputs, its own or of dependencies, that lie among its inputs", () => {
    const root = temporaryWorkspace(files);
    const dependencyOutputs = [
      { task: "b", projectDirectory: "", patterns: ["shared/b"], nodes: [] },
      { task: "a", projectDirectory: "p", patterns: ["gen"], nodes: [] },
    ];
    const change = { inputs: ["**", "//shared"], outputs: ["dist"], dependencyOutputs };
    const before = keyIn(root, change);
    for (const path of ["p/dist/x", "p/gen/x", "shared/b/x"]) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), "made");
    }
    expect(keyIn(root, change)).toBe(before);
    const { outputs: _, ...without } = change;
    expect(keyIn(root, { ...without, outputs: ["other"] })).not.toBe(
      keyIn(root, { ...change, outputs: ["other", "dist"] }),
    );
    const turned = { ...change, dependencyOutputs: dependencyOutputs.toReversed() };
    expect(keyIn(root, turned)).toBe(before);
  });

  it("asks a memo first, and is the same with it", () => {
    const root = temporaryWorkspace(files);
    const memo = createInputMemo();
    let found = 0;
    const counted: InputMemo = {
      ...memo,
      reuse: (asked) => {
        const selection = memo.reuse(asked);
        if (selection !== undefined) found += 1;
        return selection;
      },
    };
    let remembered = 0;
    const change = {
      memo: {
        ...counted,
        remember: (...args: Parameters<InputMemo["remember"]>) => {
          remembered += 1;
          memo.remember(...args);
        },
      },
      dependencyOutputs: [
        { task: "b", projectDirectory: "", patterns: ["x"], nodes: [] },
        { task: "a", projectDirectory: "", patterns: ["y"], nodes: [] },
      ],
    };
    const plain = keyIn(root, { dependencyOutputs: change.dependencyOutputs });
    expect(keyIn(root, change)).toBe(plain);
    const turned = { ...change, dependencyOutputs: change.dependencyOutputs.toReversed() };
    expect(keyIn(root, turned)).toBe(plain);
    expect([found, remembered]).toEqual([1, 1]);
  });

  it("row 24: is the same wherever the repository lies, and differs by working directory", () => {
    const [one, other] = [temporaryWorkspace({ ...files }), join(temporaryWorkspace({}), "b/c")];
    const copy = temporaryWorkspace(files);
    rmSync(other, { recursive: true, force: true });
    renameSync(copy, mkdirFor(other));
    expect(keyIn(other)).toBe(keyIn(one));
    expect(keyIn(other, { workingDirectory: join(other, "p/src/") })).toBe(
      keyIn(one, { workingDirectory: "x/../src" }),
    );
    expect(keyIn(one, { workingDirectory: "src" })).not.toBe(keyIn(one));
  });

  it("row 32: gives the components that make the key", () => {
    const root = temporaryWorkspace(files);
    const index = freshIndex(root);
    const environment = {
      host: { CI: "1", A_B: "2" },
      declared: { MODE: "x" },
      include: ["A_*"],
      exclude: [],
    };
    const { hash, components, action } = generateCacheKey({
      index,
      digestFunction: "sha256",
      task: "t",
      command: ["make"],
      projectDirectory: "p",
      inputs: ["src"],
      environment,
    });
    expect(hash).toBe(action.digest.hash);
    expect(components).toMatchObject({
      task: "t",
      command: ["make"],
      workingDirectory: "p",
      variables: [{ name: "A_B" }, { name: "MODE" }],
      keySchema,
    });
    expect(components.inputs.map((node) => node.path)).toEqual([
      "p/src/a.ts",
      "p/src/link",
      "p/src/run.sh",
    ]);
    expect(
      buildAction({ ...components, customKeyComponents: {}, platform: components.platform }).digest
        .hash,
    ).toBe(hash);
  });

  it(
    `row 25: is the same in ${processes} fresh processes, with other locales, users and time zones`,
    { timeout: 120_000 },
    async () => {
      const files_: Files = {
        ...files,
        "p/src/ä.ts": "",
        "p/src/Z.ts": "",
        "p/src/I.ts": "",
        "p/src/i.ts": "",
        "p/src/\u{1F600}": "",
        "p/src/\uFFFD": "",
      };
      const roots = [temporaryWorkspace(files_), temporaryWorkspace(files_)];
      const cache = mkdtempSync(join(tmpdir(), "cuenv-key-compile-"));
      const script = join(import.meta.dirname, "../test/print-key.ts");
      const run = async (at: number): Promise<string> => {
        const locale = ["C", "de_DE.UTF-8", "tr_TR.UTF-8", "ja_JP.UTF-8"][at % 4];
        const env = {
          PATH: process.env["PATH"],
          NODE_COMPILE_CACHE: cache,
          LC_ALL: locale,
          LANG: locale,
          HOME: `/home/u${at}`,
          USER: `u${at}`,
          TZ: at % 3 === 0 ? "UTC" : "Asia/Tokyo",
          RANDOM_X: `${at}`,
        };
        const { stdout } = await promisify(execFile)(
          process.execPath,
          ["--conditions=@cuenv/source", script, roots[at % 2] ?? ""],
          { env, cwd: at % 5 === 0 ? "/" : tmpdir() },
        );
        return stdout;
      };
      const keys = new Set<string>();
      for (let batch = 0; batch < processes; batch += 4) {
        for (const key of await Promise.all([0, 1, 2, 3].map((at) => run(batch + at))))
          keys.add(key);
      }
      rmSync(cache, { recursive: true, force: true });
      expect([...keys]).toEqual([expect.stringMatching(/^[0-9a-f]{64} [0-9a-f]{64}\n$/)]);
    },
  );
});

/** The folder that is to hold `path`, made; gives `path`. */
function mkdirFor(path: string): string {
  mkdirSync(join(path, ".."), { recursive: true });
  return path;
}
