import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { compareUtf8, type Digest, hashBytes } from "@cuenv/digest";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Action,
  type ActionResult,
  buildMerkleTree,
  type Command,
  type Directory,
  encodeAction,
  encodeActionResult,
  encodeCommand,
  encodeDigest,
  encodeDirectory,
  encodePlatform,
  encodeTree,
  type NameValue,
} from "./index.ts";
import {
  ActionResultSchema,
  ActionSchema,
  CommandSchema,
  type Digest as DigestMessage,
  DigestSchema,
  DirectorySchema,
  PlatformSchema,
  TreeSchema,
} from "./messages.ts";

const text = fc.string({ unit: "binary" });
const name = fc
  .string({ unit: "binary", minLength: 1 })
  .filter((value) => !/[/\0]/.test(value) && value !== "." && value !== "..");
const digest: fc.Arbitrary<Digest> = fc.record({
  hash: fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString("hex")),
  sizeBytes: fc.maxSafeNat(),
});
const bytes = fc.uint8Array({ maxLength: 300 });
const unique = <T>(item: fc.Arbitrary<T>, keyOf: (value: T) => string): fc.Arbitrary<T[]> =>
  fc.uniqueArray(item, { selector: keyOf, maxLength: 8 });
const pair: fc.Arbitrary<NameValue> = fc.record({ name: text, value: text });

const directory: fc.Arbitrary<Directory> = unique(
  fc.record({
    name,
    digest,
    executable: fc.boolean(),
    target: text,
    kind: fc.constantFrom("file", "directory", "symlink"),
  }),
  (node) => node.name,
).map((nodes) => ({
  files: nodes.filter((node) => node.kind === "file"),
  directories: nodes.filter((node) => node.kind === "directory"),
  symlinks: nodes.filter((node) => node.kind === "symlink"),
}));

const command: fc.Arbitrary<Command> = fc.record({
  arguments: fc.array(text),
  environmentVariables: unique(pair, (each) => each.name),
  workingDirectory: text,
  outputPaths: fc.array(text),
});

const action: fc.Arbitrary<Action> = fc.record({
  commandDigest: digest,
  inputRootDigest: digest,
  timeoutMs: fc.option(fc.nat(), { nil: undefined }),
  doNotCache: fc.boolean(),
  salt: bytes,
  platform: fc.record({ properties: fc.array(pair, { maxLength: 5 }) }),
});

const time = fc.option(fc.integer({ min: -1e12, max: 4e12 }), { nil: undefined });
const actionResult: fc.Arbitrary<ActionResult> = fc.record({
  outputFiles: unique(
    fc.record({ path: text, digest, executable: fc.boolean() }),
    (file) => file.path,
  ),
  outputDirectories: unique(
    fc.record({
      path: text,
      treeDigest: digest,
      topologicallySorted: fc.boolean(),
      rootDirectoryDigest: fc.option(digest, { nil: undefined }),
    }),
    (each) => each.path,
  ),
  outputSymlinks: unique(fc.record({ path: text, target: text }), (link) => link.path),
  exitCode: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  stdoutDigest: fc.option(digest, { nil: undefined }),
  stderrDigest: fc.option(digest, { nil: undefined }),
  stdoutRaw: fc.option(bytes, { nil: undefined }),
  stderrRaw: fc.option(bytes, { nil: undefined }),
  executionMetadata: fc.option(
    fc.record({
      worker: text,
      queuedMs: time,
      workerStartMs: time,
      workerCompletedMs: time,
      executionStartMs: time,
      executionCompletedMs: time,
      auxiliary: fc.array(fc.record({ typeUrl: text, value: bytes }), { maxLength: 2 }),
    }),
    { nil: undefined },
  ),
});

function plainDigest(message: DigestMessage | undefined): Digest | undefined {
  return message && { hash: message.hash, sizeBytes: Number(message.sizeBytes) };
}

function sortedBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return items.toSorted((a, b) => Buffer.compare(Buffer.from(keyOf(a)), Buffer.from(keyOf(b))));
}

describe("canonical encoding", () => {
  it("encodes digests as the generated code does", () => {
    fc.assert(
      fc.property(digest, (value) => {
        const encoded = encodeDigest(value);
        const decoded = fromBinary(DigestSchema, encoded);
        expect(plainDigest(decoded)).toEqual(value);
        expect(toBinary(DigestSchema, decoded)).toEqual(new Uint8Array(encoded));
      }),
    );
  });

  it("encodes directories as the generated code does, sorted by UTF-8 bytes", () => {
    fc.assert(
      fc.property(directory, (value) => {
        const encoded = encodeDirectory(value);
        const decoded = fromBinary(DirectorySchema, encoded);
        expect(toBinary(DirectorySchema, decoded)).toEqual(new Uint8Array(encoded));
        expect(
          decoded.files.map((node) => [node.name, plainDigest(node.digest), node.isExecutable]),
        ).toEqual(
          sortedBy(value.files, (node) => node.name).map((node) => [
            node.name,
            node.digest,
            node.executable,
          ]),
        );
        expect(decoded.directories.map((node) => [node.name, plainDigest(node.digest)])).toEqual(
          sortedBy(value.directories, (node) => node.name).map((node) => [node.name, node.digest]),
        );
        expect(decoded.symlinks.map((node) => [node.name, node.target])).toEqual(
          sortedBy(value.symlinks, (node) => node.name).map((node) => [node.name, node.target]),
        );
      }),
    );
  });

  it("encodes trees as the generated code does", () => {
    fc.assert(
      fc.property(directory, fc.array(directory, { maxLength: 4 }), (root, children) => {
        const encoded = encodeTree({ root, children });
        const decoded = fromBinary(TreeSchema, encoded);
        expect(toBinary(TreeSchema, decoded)).toEqual(new Uint8Array(encoded));
        expect(decoded.children.map((child) => toBinary(DirectorySchema, child))).toEqual(
          children.map((child) => new Uint8Array(encodeDirectory(child))),
        );
      }),
    );
  });

  it("encodes commands as the generated code does, output paths sorted and each once", () => {
    fc.assert(
      fc.property(command, (value) => {
        const encoded = encodeCommand(value);
        const decoded = fromBinary(CommandSchema, encoded);
        expect(toBinary(CommandSchema, decoded)).toEqual(new Uint8Array(encoded));
        expect(decoded.arguments).toEqual(value.arguments);
        expect(decoded.workingDirectory).toBe(value.workingDirectory);
        expect(decoded.outputPaths).toEqual([...new Set(value.outputPaths)].toSorted(compareUtf8));
        expect(decoded.environmentVariables.map((each) => [each.name, each.value])).toEqual(
          sortedBy(value.environmentVariables, (each) => each.name).map((each) => [
            each.name,
            each.value,
          ]),
        );
      }),
    );
  });

  it("encodes actions as the generated code does", () => {
    fc.assert(
      fc.property(action, (value) => {
        const encoded = encodeAction(value);
        const decoded = fromBinary(ActionSchema, encoded);
        expect(toBinary(ActionSchema, decoded)).toEqual(new Uint8Array(encoded));
        expect(plainDigest(decoded.commandDigest)).toEqual(value.commandDigest);
        expect(plainDigest(decoded.inputRootDigest)).toEqual(value.inputRootDigest);
        const { timeout } = decoded;
        const milliseconds = timeout && Number(timeout.seconds) * 1000 + timeout.nanos / 1e6;
        expect(milliseconds).toBe(value.timeoutMs);
        expect(Buffer.from(decoded.salt)).toEqual(Buffer.from(value.salt));
        expect(decoded.doNotCache).toBe(value.doNotCache);
        expect(decoded.platform?.properties).toHaveLength(value.platform.properties.length);
      }),
    );
  });

  it("encodes action results as the generated code does", () => {
    fc.assert(
      fc.property(actionResult, (value) => {
        const encoded = encodeActionResult(value);
        const decoded = fromBinary(ActionResultSchema, encoded);
        expect(toBinary(ActionResultSchema, decoded)).toEqual(new Uint8Array(encoded));
        expect(decoded.exitCode).toBe(value.exitCode);
        expect(decoded.outputFiles.map((file) => [file.path, plainDigest(file.digest)])).toEqual(
          sortedBy(value.outputFiles, (file) => file.path).map((file) => [file.path, file.digest]),
        );
        expect(decoded.outputSymlinks.map((link) => [link.path, link.target])).toEqual(
          sortedBy(value.outputSymlinks, (link) => link.path).map((link) => [
            link.path,
            link.target,
          ]),
        );
        expect(
          decoded.outputDirectories.map((each) => plainDigest(each.rootDirectoryDigest)),
        ).toEqual(
          sortedBy(value.outputDirectories, (each) => each.path).map(
            (each) => each.rootDirectoryDigest,
          ),
        );
        expect(plainDigest(decoded.stdoutDigest)).toEqual(value.stdoutDigest);
        expect(decoded.executionMetadata?.worker).toBe(value.executionMetadata?.worker);
        const start = decoded.executionMetadata?.executionStartTimestamp;
        expect(start && timestampMs(start)).toBe(value.executionMetadata?.executionStartMs);
      }),
    );
  });

  it("sorts properties by name, then by value, and keeps equal names", () => {
    const properties = [
      { name: "b", value: "1" },
      { name: "a", value: "\u{1F600}" },
      { name: "a", value: "\uFFFD" },
    ];
    const decoded = fromBinary(PlatformSchema, encodePlatform({ properties }));
    expect(decoded.properties.map((each) => each.name + each.value)).toEqual([
      "a\uFFFD",
      "a\u{1F600}",
      "b1",
    ]);
  });

  it("does not depend on the order in which lists are given", () => {
    fc.assert(
      fc.property(actionResult, directory, (result, folder) => {
        const reversed = {
          ...result,
          outputFiles: result.outputFiles.toReversed(),
          outputDirectories: result.outputDirectories.toReversed(),
          outputSymlinks: result.outputSymlinks.toReversed(),
        };
        expect(encodeActionResult(reversed)).toEqual(encodeActionResult(result));
        const turned = {
          files: folder.files.toReversed(),
          directories: folder.directories.toReversed(),
          symlinks: folder.symlinks.toReversed(),
        };
        expect(encodeDirectory(turned)).toEqual(encodeDirectory(folder));
      }),
    );
  });

  it("encodes texts of every length around a change of the length's length", () => {
    for (const length of [127, 128, 16_383, 16_384, 70_000, 2_097_151, 2_097_152]) {
      const value = { arguments: ["x".repeat(length), "é".repeat(length)] };
      const encoded = encodeCommand({
        ...value,
        environmentVariables: [],
        workingDirectory: "",
        outputPaths: [],
      });
      expect(fromBinary(CommandSchema, encoded).arguments).toEqual(value.arguments);
    }
  });

  it("refuses what has no canonical form", () => {
    const file = { digest: { hash: "00", sizeBytes: 1 }, executable: false };
    const empty = { files: [], directories: [], symlinks: [] };
    const refused = expect.objectContaining({ code: "REAPI_MESSAGE_INVALID" });
    for (const bad of ["", ".", "..", "a/b", "a\0b", "\uD800"]) {
      expect(() => encodeDirectory({ ...empty, files: [{ ...file, name: bad }] })).toThrow(refused);
    }
    expect(() =>
      encodeDirectory({
        ...empty,
        files: [
          { ...file, name: "a" },
          { ...file, name: "a" },
        ],
      }),
    ).toThrow(refused);
    expect(() =>
      encodeDirectory({
        files: [{ ...file, name: "a" }],
        directories: [],
        symlinks: [{ name: "a", target: "b" }],
      }),
    ).toThrow(refused);
    expect(() => encodeDigest({ hash: "00", sizeBytes: 0.5 })).toThrow(refused);
    expect(encodeDirectory(empty)).toHaveLength(0);
  });
});

describe("buildMerkleTree", () => {
  const hash = (content: Uint8Array): Digest => hashBytes("sha256", content);
  const file = (path: string) => ({
    kind: "file" as const,
    path,
    digest: hash(Buffer.from(path)),
    executable: false,
  });

  it("gives the empty tree the digest of the empty blob", () => {
    const tree = buildMerkleTree([], hash);
    expect(tree.root).toEqual(hash(new Uint8Array()));
    expect([...tree.blobs.keys()]).toEqual([tree.root.hash]);
  });

  it("names every directory blob from its parent, and gives equal directories once", () => {
    const nodes = ["a/x", "b/x"].map((path) => ({ ...file(path), digest: hash(Buffer.from("1")) }));
    const tree = buildMerkleTree([...nodes, { kind: "directory", path: "c/d" }], hash);
    expect(tree.blobs.size).toBe(4);
    const root = fromBinary(DirectorySchema, tree.blobs.get(tree.root.hash)?.bytes ?? Buffer.of(1));
    expect(root.directories.map((node) => node.name)).toEqual(["a", "b", "c"]);
    for (const node of root.directories) {
      const blob = tree.blobs.get(node.digest?.hash ?? "");
      expect(blob?.digest).toEqual(hash(blob?.bytes ?? new Uint8Array()));
    }
  });

  it("does not depend on the order of the nodes, and on nothing but them", () => {
    const paths = fc.uniqueArray(
      fc.array(fc.constantFrom("a", "b", "\uFFFD", "\u{1F600}"), { minLength: 1, maxLength: 4 }),
      { selector: (path) => path.join("/"), maxLength: 12 },
    );
    fc.assert(
      fc.property(paths, (list) => {
        const nodes = list.map((path) => file([...path, "leaf"].join("/")));
        const root = buildMerkleTree(nodes, hash).root;
        expect(buildMerkleTree(nodes.toReversed(), hash).root).toEqual(root);
        const less = buildMerkleTree(nodes.slice(1), hash).root;
        expect(less.hash === root.hash).toBe(nodes.length === 0);
      }),
    );
  });

  it("refuses a path through a file, and a path that is there twice", () => {
    expect(() => buildMerkleTree([file("a"), file("a/b")], hash)).toThrow(/there twice/);
    expect(() => buildMerkleTree([file("a/b"), file("a/b")], hash)).toThrow(/there twice/);
    expect(() => buildMerkleTree([file("a//b")], hash)).toThrow(/not the name/);
  });
});
