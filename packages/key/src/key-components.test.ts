import { hashText } from "@cuenv/digest";
import { describe, expect, it } from "vitest";
import { keyComponents } from "./key-components.ts";
import type { KeyInputs } from "./key-inputs.ts";

const digest = hashText("sha256", "content");
const smallest: KeyInputs = {
  version: 1,
  digestFunction: "sha256",
  task: "t",
  command: ["make"],
  workingDirectory: "",
  variables: [],
  outputs: [],
  inputs: [],
  inputRoot: hashText("sha256", ""),
  dependencies: [],
  producers: {},
  tools: [],
  platform: { os: "linux", arch: "x86-64" },
  cacheKey: undefined,
  customComponents: [],
  keyEpoch: 3,
  keySchema: 1,
  namespace: "default",
  timeoutMs: undefined,
};
const linesOf = (inputs: KeyInputs): string[] =>
  keyComponents(inputs).map(({ kind, name, value }) => `${kind} | ${name} | ${value}`);

describe("the components of a key", () => {
  it("are few for the smallest task", () => {
    expect(linesOf(smallest)).toEqual([
      "schema | key format | 1",
      "digestFunction | digest function | sha256",
      "epoch | key epoch | 3",
      "namespace | namespace | default",
      "command | command | make",
      "workingDirectory | working directory | .",
      "platform | platform | linux x86-64",
    ]);
  });

  it("are all there are, in the order in which causes are told", () => {
    const everything: KeyInputs = {
      ...smallest,
      command: ["sh", "-c", "make"],
      workingDirectory: "app",
      variables: [
        { name: "A", value: "a" },
        { name: "S", hmac: "00ff" },
      ],
      outputs: ["dist", "out"],
      inputs: [
        { kind: "file", path: "a", digest, executable: false },
        { kind: "file", path: "b", digest, executable: true },
        { kind: "directory", path: "empty" },
        { kind: "symlink", path: "l", target: "a" },
      ],
      producers: { b: "lib", l: "lib" },
      dependencies: [{ task: "gen", key: "kk" }],
      tools: [{ command: "node -v", output: "v22" }],
      cacheKey: "mine",
      customComponents: [{ name: "n", value: "v" }],
      timeoutMs: 500,
    };
    expect(linesOf(everything)).toEqual([
      "schema | key format | 1",
      "digestFunction | digest function | sha256",
      "epoch | key epoch | 3",
      "namespace | namespace | default",
      "cacheKey | cacheKey | mine",
      `file | a | ${digest.hash}/7`,
      `dependencyOutput | b | ${digest.hash}/7 executable`,
      "file | empty | folder",
      "dependencyOutput | l | link to a",
      "dependency | gen | kk",
      "variable | A | a",
      "variable | S | secret 00ff",
      "command | command | sh",
      "argument | argument 1 | -c",
      "argument | argument 2 | make",
      "workingDirectory | working directory | app",
      "outputs | dist | declared",
      "outputs | out | declared",
      "tool | node -v | v22",
      "platform | platform | linux x86-64",
      "customComponent | n | v",
      "timeout | timeout | 500 ms",
    ]);
    const digests = new Map(keyComponents(everything).map((each) => [each.name, each.digest]));
    expect(digests.get("a")).toBe(digest.hash);
    expect(digests.get("S")).toBe("00ff");
    expect(digests.get("l")).toBe(hashText("sha256", "link to a").hash);
    expect(digests.get("n")).toBe(hashText("sha256", "v").hash);
  });
});
