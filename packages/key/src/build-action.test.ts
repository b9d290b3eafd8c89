import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { hashBytes, hashText } from "@cuenv/digest";
import { ActionSchema, CommandSchema } from "@cuenv/reapi/messages";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ActionRequest,
  buildAction,
  generateActionDigest,
  hostPlatform,
  keySchema,
} from "./build-action.ts";
import type { InputNode } from "./key-inputs.ts";

const digest = hashText("sha256", "content");
const base: ActionRequest = {
  digestFunction: "sha256",
  task: "build",
  command: ["sh", "-c", "make", "arg"],
  workingDirectory: "p",
  variables: [{ name: "A", value: "1" }],
  outputs: ["p/dist"],
  inputs: [{ kind: "file", path: "p/a", digest, executable: false }],
  dependencies: [{ task: "d", key: "k" }],
  tools: [{ command: "node --version", output: "v26" }],
  platform: { os: "linux", arch: "x86-64" },
  customKeyComponents: { a: "1" },
  keyEpoch: 0,
  namespace: "default",
};

function keyOf(change: Partial<ActionRequest>): string {
  return generateActionDigest({ ...base, ...change }).hash;
}

describe("buildAction", () => {
  const changes: readonly (readonly [name: string, change: Partial<ActionRequest>])[] = [
    ["another program", { command: ["bash", "-c", "make", "arg"] }],
    ["another script", { command: ["sh", "-c", "make all", "arg"] }],
    ["another argument", { command: ["sh", "-c", "make", "arg2"] }],
    ["one argument more, and empty", { command: ["sh", "-c", "make", "arg", ""] }],
    ["arguments in another order", { command: ["sh", "-c", "arg", "make"] }],
    ["another working directory", { workingDirectory: "q" }],
    ["another value of a variable", { variables: [{ name: "A", value: "2" }] }],
    ["a variable more", { variables: [...base.variables, { name: "B", value: "" }] }],
    ["a variable less", { variables: [] }],
    ["a secret in its place", { variables: [{ name: "A", hmac: "1" }] }],
    ["all variables to be seen", { environmentMode: "loose" }],
    ["another output", { outputs: ["p/out"] }],
    ["no outputs", { outputs: [] }],
    [
      "another content",
      {
        inputs: [{ kind: "file", path: "p/a", digest: hashText("sha256", "x"), executable: false }],
      },
    ],
    ["another path", { inputs: [{ kind: "file", path: "p/b", digest, executable: false }] }],
    ["the exec bit", { inputs: [{ kind: "file", path: "p/a", digest, executable: true }] }],
    ["a link in the file's place", { inputs: [{ kind: "symlink", path: "p/a", target: "b" }] }],
    ["another target of a link", { inputs: [{ kind: "symlink", path: "p/a", target: "c" }] }],
    ["an empty folder", { inputs: [{ kind: "directory", path: "p/a" }] }],
    ["no inputs", { inputs: [] }],
    ["another key of a dependency", { dependencies: [{ task: "d", key: "l" }] }],
    ["no dependency", { dependencies: [] }],
    ["another version of a tool", { tools: [{ command: "node --version", output: "v27" }] }],
    ["another tool", { tools: [{ command: "node -v", output: "v26" }] }],
    ["no tool", { tools: [] }],
    ["another system", { platform: { os: "macos", arch: "x86-64" } }],
    ["another architecture", { platform: { os: "linux", arch: "arm-a64" } }],
    ["a cacheKey", { cacheKey: "" }],
    ["another cacheKey", { cacheKey: "v2" }],
    ["row 21: another value of a custom component", { customKeyComponents: { a: "2" } }],
    ["row 21: another custom component", { customKeyComponents: { b: "1" } }],
    ["row 21: no custom component", { customKeyComponents: {} }],
    ["another epoch", { keyEpoch: 1 }],
    ["another namespace", { namespace: "other" }],
    ["a timeout", { timeoutMs: 1000 }],
    ["another timeout", { timeoutMs: 1001 }],
    ["another digest function", { digestFunction: "blake3" }],
  ];

  it.each(changes)("row 25: gives another key for %s", (_name, change) => {
    expect(keyOf(change)).not.toBe(keyOf({}));
  });

  it("row 25: gives a key of its own to each of these changes", () => {
    const keys = changes.map(([, change]) => keyOf(change));
    expect(new Set(keys).size).toBe(changes.length);
  });

  it("does not put names of tasks into the key", () => {
    const producers = { "p/a": "lib" };
    const renamed = { task: "other", dependencies: [{ task: "renamed", key: "k" }], producers };
    expect(keyOf(renamed)).toBe(keyOf({}));
  });

  it("row 18: lets cacheKey replace the input files and nothing else", () => {
    const cacheKey = "v1";
    expect(keyOf({ cacheKey, inputs: [] })).toBe(keyOf({ cacheKey }));
    const keys = changes
      .filter(([, change]) => !("inputs" in change) && !("cacheKey" in change))
      .map(([, change]) => keyOf({ ...change, cacheKey }));
    expect(new Set([...keys, keyOf({ cacheKey })]).size).toBe(keys.length + 1);
    expect(keyOf({ cacheKey, task: "other" })).not.toBe(keyOf({ cacheKey }));
    const action = buildAction({ ...base, cacheKey, producers: { "p/a": "d" } });
    expect(action.keyInputs()).toMatchObject({ inputs: [], producers: {}, cacheKey });
  });

  const word = fc.constantFrom("", "a", "b", "ab", "A", "=", "\0", "\uFFFD", "\u{1F600}");
  const name = fc.constantFrom("a", "b", "ab", "\uFFFD", "\u{1F600}");
  const record = fc.dictionary(name, word, { maxKeys: 3 });
  const request = fc.record({
    command: fc.array(word, { maxLength: 4 }),
    workingDirectory: word,
    variables: record,
    outputs: fc.array(name, { maxLength: 3 }),
    inputs: fc.uniqueArray(
      fc.tuple(name, name, word, fc.constantFrom("file", "executable", "symlink")),
      { maxLength: 4, selector: ([folder, file]) => `${folder}/${file}` },
    ),
    dependencies: fc.array(word, { maxLength: 3 }),
    tools: record,
    customKeyComponents: record,
    cacheKey: fc.option(word, { nil: undefined }),
    namespace: word,
    keyEpoch: fc.nat({ max: 2 }),
    timeoutMs: fc.option(fc.nat({ max: 2_000 }), { nil: undefined }),
  });
  type Model = typeof request extends fc.Arbitrary<infer T> ? T : never;
  const fields = Object.keys(fc.sample(request, 1)[0] ?? {}) as (keyof Model)[];

  function toNode([folder, file, content, kind]: Model["inputs"][number]): InputNode {
    const path = `${folder}/${file}`;
    if (kind === "symlink") return { kind, path, target: content };
    return {
      kind: "file",
      path,
      digest: hashText("sha256", content),
      executable: kind === "executable",
    };
  }

  function toRequest(model: Model, order: <T>(items: readonly T[]) => readonly T[]): ActionRequest {
    const entries = (values: Readonly<Record<string, string>>) => order(Object.entries(values));
    return {
      ...base,
      command: model.command,
      workingDirectory: model.workingDirectory,
      variables: entries(model.variables).map(([key, value]) => ({ name: key, value })),
      outputs: order(model.outputs),
      inputs: order(model.inputs).map(toNode),
      dependencies: order(model.dependencies).map((key) => ({ task: key, key })),
      tools: entries(model.tools).map(([command, output]) => ({ command, output })),
      customKeyComponents: Object.fromEntries(entries(model.customKeyComponents)),
      cacheKey: model.cacheKey,
      namespace: model.namespace,
      keyEpoch: model.keyEpoch,
      timeoutMs: model.timeoutMs,
    };
  }

  /** What a key must tell apart, in a form in which equal means equal. */
  function meaning(model: Model): string {
    const sorted = (items: readonly unknown[]): string[] =>
      [...new Set(items.map((item) => JSON.stringify(item)))].toSorted();
    return JSON.stringify([
      model.command,
      model.workingDirectory,
      sorted(Object.entries(model.variables)),
      sorted(model.outputs),
      model.cacheKey === undefined ? sorted(model.inputs) : [],
      sorted(model.dependencies),
      sorted(Object.entries(model.tools)),
      sorted(Object.entries(model.customKeyComponents)),
      model.cacheKey === undefined ? null : [base.task, model.cacheKey],
      model.namespace,
      model.keyEpoch,
      model.timeoutMs ?? null,
    ]);
  }

  it("row 25: gives equal keys exactly to equal requests: no two texts run into each other", () => {
    // The second request differs from the first in a few fields at the most, so that near misses are met.
    const pair = fc.tuple(request, request, fc.subarray(fields)).map(([one, other, changed]) => {
      const second: Model = { ...one };
      for (const field of changed) Object.assign(second, { [field]: other[field] });
      return [one, second] as const;
    });
    const key = (model: Model): string =>
      generateActionDigest(toRequest(model, (items) => items)).hash;
    fc.assert(
      fc.property(pair, ([one, other]) => {
        expect(key(one) === key(other)).toBe(meaning(one) === meaning(other));
      }),
      { numRuns: 3_000 },
    );
  });

  it("row 25: does not depend on the order of lists and maps", () => {
    fc.assert(
      fc.property(request, (model) => {
        const forward = generateActionDigest(toRequest(model, (items) => items));
        expect(generateActionDigest(toRequest(model, (items) => items.toReversed()))).toEqual(
          forward,
        );
      }),
      { numRuns: 500 },
    );
  });

  it("gives an Action that REAPI's own messages read, with the blobs that it names", () => {
    const { digest: key, action, command, commandDigest, inputRoot, blobs } = buildAction(base);
    const decoded = fromBinary(ActionSchema, action);
    expect(toBinary(ActionSchema, decoded)).toEqual(new Uint8Array(action));
    expect(decoded.commandDigest?.hash).toBe(commandDigest.hash);
    expect(decoded.inputRootDigest?.hash).toBe(inputRoot.hash);
    expect(key).toEqual(hashBytes("sha256", action));
    const read = fromBinary(CommandSchema, command);
    expect(read.arguments).toEqual(base.command);
    expect(read.outputPaths).toEqual(base.outputs);
    for (const blob of blobs()) expect(hashBytes("sha256", blob.bytes)).toEqual(blob.digest);
    const hashes = blobs().map((blob) => blob.digest.hash);
    expect(hashes).toEqual(expect.arrayContaining([key.hash, commandDigest.hash, inputRoot.hash]));
    expect(hashes).toHaveLength(4);
  });

  it("names the platform as REAPI does", () => {
    expect(hostPlatform().os).toMatch(/^(linux|macos|windows|[a-z]+)$/);
    expect(hostPlatform().arch).not.toBe("x64");
  });
});

describe("golden keys", () => {
  const folder = join(import.meta.dirname, "golden");
  it.each(readdirSync(folder))("%s: the key is what it was in every earlier version", (file) => {
    const { request, expected } = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
      request: ActionRequest;
      expected: unknown;
    };
    const { digest: key, inputRoot, command, action } = buildAction(request);
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
    expect(
      { digest: key, inputRoot, command: hex(command), action: hex(action) },
      `keys moved: every cache of every user is void. If that is meant, raise keySchema (now ${keySchema}) and run packages/key/test/write-golden.ts`,
    ).toEqual(expected);
  });
});
