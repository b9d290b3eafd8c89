import { hashText } from "@cuenv/digest";
import { describe, expect, it } from "vitest";
import { type ActionRequest, buildAction } from "./build-action.ts";
import { explainMiss } from "./explain-miss.ts";
import type { InputNode, KeyInputs } from "./key-inputs.ts";

function file(path: string, content = "1", executable = false): InputNode {
  return { kind: "file", path, digest: hashText("sha256", content), executable };
}

const base: ActionRequest = {
  digestFunction: "sha256",
  task: "app:build",
  command: ["sh", "-c", "make", "x"],
  workingDirectory: "",
  variables: [{ name: "MODE", value: "fast" }],
  outputs: ["dist"],
  inputs: [file("src/a.ts"), file("src/b.ts"), file("lib/dist/o")],
  producers: { "lib/dist/o": "lib:build" },
  dependencies: [{ task: "setup", key: "1" }],
  tools: [{ command: "node --version", output: "v22.1.0" }],
  platform: { os: "linux", arch: "x86-64" },
  customKeyComponents: { region: "eu" },
  keyEpoch: 1,
  namespace: "default",
};

function inputsOf(change: Partial<ActionRequest>): KeyInputs {
  return buildAction({ ...base, ...change }).keyInputs();
}

function texts(change: Partial<ActionRequest>, from: Partial<ActionRequest> = {}): string[] {
  return explainMiss(inputsOf(from), inputsOf(change)).map((cause) => cause.text);
}

describe("row 32: explainMiss", () => {
  it("says when there is nothing to compare with, and when nothing differs", () => {
    expect(explainMiss(undefined, inputsOf({})).map((cause) => cause.text)).toEqual([
      "no result stored yet",
    ]);
    expect(texts({})).toEqual([]);
    expect(texts({ task: "renamed", dependencies: [{ task: "other", key: "1" }] })).toEqual([]);
  });

  const lib = file("lib/dist/o");
  const cases: readonly (readonly [change: Partial<ActionRequest>, text: string])[] = [
    [{ inputs: [file("src/a.ts", "2"), file("src/b.ts"), lib] }, "src/a.ts changed"],
    [
      { inputs: [file("src/a.ts", "1", true), file("src/b.ts"), lib] },
      "src/a.ts changed: executable now",
    ],
    [{ inputs: [file("src/a.ts"), file("src/b.ts"), lib, file("src/c.ts")] }, "src/c.ts added"],
    [{ inputs: [file("src/a.ts"), lib] }, "src/b.ts removed"],
    [
      { inputs: [file("src/a.ts"), { kind: "symlink", path: "src/b.ts", target: "x" }, lib] },
      "src/b.ts changed: a link now",
    ],
    [{ inputs: [file("src/a.ts", "x"), file("src/b.ts"), lib] }, "src/a.ts changed"],
    [
      { inputs: [file("src/a.ts", "2"), file("src/b.ts", "2"), lib] },
      "2 inputs changed: src/a.ts, src/b.ts",
    ],
    [
      { inputs: ["1", "2", "3", "4"].map((name) => file(name)).concat(base.inputs as InputNode[]) },
      "4 inputs added: 1, 2, 3, …",
    ],
    [
      { inputs: [file("src/a.ts"), file("src/b.ts"), file("lib/dist/o", "2")] },
      "output of lib:build lib/dist/o changed",
    ],
    [{ dependencies: [{ task: "setup", key: "2" }] }, "dependency setup changed"],
    [{ variables: [{ name: "MODE", value: "slow" }] }, "variable MODE changed"],
    [{ variables: [] }, "variable MODE removed"],
    [{ variables: [{ name: "MODE", hmac: "ab" }] }, "variable MODE changed"],
    [
      { command: ["sh", "-c", "make all", "x"] },
      "command changed: arguments added at its end: all",
    ],
    [{ command: ["sh", "-c", "echo", "x"] }, "command changed: make → echo"],
    [{ command: ["sh", "-c", "make", "y"] }, "argument 1 changed: x → y"],
    [{ command: ["sh", "-c", "make", "x", "y"] }, "argument added: y"],
    [{ command: ["sh", "-c", "make"] }, "argument removed: x"],
    [{ command: ["sh", "-c", "make", "sh", "x"] }, "argument added: sh"],
    [{ command: ["sh", "-c", "make", "a", "b"] }, "arguments changed: x → a b"],
    [{ command: ["make", "x"] }, "command changed: sh -c make x → make x"],
    [{ command: ["bash", "-c", "make", "x"] }, "command changed: shell sh -c → bash -c"],
    [
      { command: ["sh", "-e", "-o", "pipefail", "-c", "make", "x"] },
      "command changed: shell sh -c → sh -e -o pipefail -c",
    ],
    [{ workingDirectory: "p" }, "working directory changed: . → p"],
    [{ outputs: ["dist", "out"] }, "output out added"],
    [
      { tools: [{ command: "node --version", output: "v24.0.0" }] },
      "node --version changed: v22.1.0 → v24.0.0",
    ],
    [{ tools: [] }, "tool node --version removed"],
    [
      { platform: { os: "macos", arch: "x86-64" } },
      "platform changed: linux x86-64 → macos x86-64",
    ],
    [{ customKeyComponents: { region: "us" } }, "key component region changed"],
    [{ keyEpoch: 2 }, "key epoch changed: 1 → 2"],
    [{ namespace: "team" }, "namespace changed: default → team"],
    [{ timeoutMs: 10 }, "timeout set"],
    [{ digestFunction: "blake3", inputs: [] }, "digest function changed: sha256 → blake3"],
  ];
  it.each(cases)("%j: %s", (change, text) => {
    expect(texts(change)[0]).toBe(text);
  });

  it("finds a cause for every change of the key, and only then", () => {
    for (const [change] of cases) {
      const moved =
        buildAction({ ...base, ...change }).digest.hash !== buildAction(base).digest.hash;
      expect([change, texts(change).length > 0]).toEqual([change, moved]);
    }
  });

  it("tells a rename from a removal and an addition", () => {
    const renamed = [file("src/a.ts", "same"), lib];
    expect(texts({ inputs: [file("src/z.ts", "same"), lib] }, { inputs: renamed })).toEqual([
      "src/a.ts renamed to src/z.ts",
    ]);
    expect(texts({ inputs: [file("src/z.ts", "other"), lib] }, { inputs: renamed })).toEqual([
      "2 inputs changed: src/z.ts, src/a.ts",
    ]);
  });

  it("tells files that went from those that are no inputs any more", () => {
    const declared = (...inputs: readonly string[]) => ({
      declaredInputs: { inputs, extraInputs: [], ignoreInputs: [] },
    });
    const fewer = { inputs: [file("src/a.ts"), lib] };
    const explained = (
      from: Partial<ActionRequest>,
      to: Partial<ActionRequest>,
      exists: (path: string) => boolean,
    ): string[] => explainMiss(inputsOf(from), inputsOf(to), { exists }).map((cause) => cause.text);
    expect(explained({}, fewer, () => false)).toEqual(["src/b.ts removed"]);
    expect(explained({}, fewer, (path) => path === "src/b.ts")).toEqual([
      "src/b.ts is no input any more",
    ]);
    expect(explained({}, { inputs: [lib] }, () => true)).toEqual([
      "2 files are no inputs any more: src/a.ts, src/b.ts",
    ]);
    expect(explained(declared("src/**"), { ...fewer, ...declared("src/a*") }, () => true)).toEqual([
      "declared inputs changed: src/** → src/a*",
      "src/b.ts is no input any more",
    ]);
    expect(texts(declared("src/*"), declared("src/**"))).toEqual([]);
  });

  it("says cacheKey first when it came or changed", () => {
    expect(texts({ cacheKey: "v1" })[0]).toBe("cacheKey set");
    expect(texts({ cacheKey: "v2" }, { cacheKey: "v1" })).toEqual(["cacheKey changed: v1 → v2"]);
  });

  it("gives every component that changed, and shows no secret", () => {
    const secret = (hmac: string): Partial<ActionRequest> => ({
      variables: [{ name: "TOKEN", hmac }],
    });
    const [cause] = explainMiss(
      inputsOf(secret("aa".repeat(32))),
      inputsOf(secret("bb".repeat(32))),
    );
    expect(cause).toMatchObject({
      kind: "variable",
      name: "TOKEN",
      components: [{ name: "TOKEN", before: "secret aaaaaaaa" }],
    });
  });

  it("keeps every text on one short line", () => {
    const long = "x\n".repeat(300);
    const changes: Partial<ActionRequest>[] = [
      { tools: [{ command: "node --version", output: long }] },
      { command: ["sh", "-c", "make", long] },
      { workingDirectory: long },
      { inputs: [file(`deep/${"x".repeat(300)}`), ...(base.inputs as InputNode[])] },
      { platform: { os: long, arch: long } },
    ];
    for (const change of changes) {
      for (const text of texts(change)) {
        expect(text).not.toContain("\n");
        expect(text.length).toBeLessThan(150);
      }
    }
  });
});
