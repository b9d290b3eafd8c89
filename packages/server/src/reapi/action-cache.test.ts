import { create, toBinary } from "@bufbuild/protobuf";
import { hashBytes } from "@cuenv/digest";
import {
  ActionCache,
  type ActionResult,
  ActionResultSchema,
  ActionSchema,
  ContentAddressableStorage as Cas,
  DigestFunction_Value,
  DirectorySchema,
  TreeSchema,
} from "@cuenv/reapi/messages";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningGrpcServer, startGrpcServer } from "../../test/running-grpc-server.ts";

let server: RunningGrpcServer;
beforeAll(async () => {
  server = await startGrpcServer();
});
afterAll(() => server.stop());

const digestOf = (bytes: Uint8Array, name: "sha256" | "blake3" = "sha256") => {
  const { hash, sizeBytes } = hashBytes(name, bytes);
  return { hash, sizeBytes: BigInt(sizeBytes) };
};
const newKey = () => digestOf(randomBytes(16));
type Result = Partial<Omit<ActionResult, "$typeName" | "$unknown">>;

async function put(...contents: Uint8Array[]): Promise<void> {
  const { responses } = await server.client.call(Cas.method.batchUpdateBlobs, {
    requests: contents.map((data) => ({ digest: digestOf(data), data: Uint8Array.from(data) })),
  });
  expect(responses.map(({ status }) => status?.code ?? 0)).toEqual(contents.map(() => 0));
}

const update = (actionDigest: ReturnType<typeof newKey>, actionResult: object, more = {}) =>
  server.client.call(ActionCache.method.updateActionResult, {
    actionDigest,
    actionResult: create(ActionResultSchema, actionResult as Result),
    ...more,
  });
const get = (actionDigest: ReturnType<typeof newKey>, more = {}) =>
  server.client.call(ActionCache.method.getActionResult, { actionDigest, ...more });

describe("an action result over gRPC", () => {
  it("is NOT_FOUND, then what was stored, with the worker filled in", async () => {
    const key = newKey();
    await expect(get(key)).rejects.toThrow("NOT_FOUND");
    const output = randomBytes(20);
    await put(output);
    const outputFiles = [{ path: "out", digest: digestOf(output), isExecutable: true }];
    const stored = await update(key, { outputFiles, exitCode: 0 });
    expect(stored.executionMetadata?.worker).toBe("127.0.0.1");
    const got = await get(key);
    expect(got).toEqual(stored);
    expect(got.outputFiles).toMatchObject(outputFiles);
  });

  it("keeps a worker that was named, and a result of nothing at all", async () => {
    const key = newKey();
    const named = { executionMetadata: { worker: "builder-7" } };
    expect((await update(key, named)).executionMetadata?.worker).toBe("builder-7");
    const empty = newKey();
    await update(empty, {});
    expect((await get(empty)).executionMetadata?.worker).toBe("127.0.0.1");
  });

  it("is replaced by who stores again", async () => {
    const key = newKey();
    await update(key, { exitCode: 1 });
    await update(key, { exitCode: 2 });
    expect((await get(key)).exitCode).toBe(2);
  });

  it("is of its instance, its namespace and its digest function", async () => {
    const key = newKey();
    await update(key, { exitCode: 3 }, { instanceName: "team/linux" });
    expect((await get(key, { instanceName: "team/linux" })).exitCode).toBe(3);
    for (const instanceName of ["", "team", "team/mac", "other/linux"])
      await expect(get(key, { instanceName })).rejects.toThrow("NOT_FOUND");
    const blake3 = { instanceName: "team/linux", digestFunction: DigestFunction_Value.BLAKE3 };
    await expect(get(key, blake3)).rejects.toThrow("NOT_FOUND");
    await update(key, { exitCode: 4 }, blake3);
    expect((await get(key, blake3)).exitCode).toBe(4);
    expect((await get(key, { instanceName: "team/linux" })).exitCode).toBe(3);
  });

  it("is NOT_FOUND while anything that it names is absent: files, streams, trees and all that is in them", async () => {
    const [file, stdout, inTree, below, inRoot] = [1, 2, 3, 4, 5].map(() => randomBytes(20));
    const tree = toBinary(
      TreeSchema,
      create(TreeSchema, {
        root: { files: [{ name: "a", digest: digestOf(inTree!) }] },
        children: [{ files: [{ name: "b", digest: digestOf(below!) }] }],
      }),
    );
    const child = toBinary(
      DirectorySchema,
      create(DirectorySchema, { files: [{ name: "c", digest: digestOf(inRoot!) }] }),
    );
    const root = toBinary(
      DirectorySchema,
      create(DirectorySchema, { directories: [{ name: "d", digest: digestOf(child) }] }),
    );
    const key = newKey();
    await update(key, {
      outputFiles: [
        { path: "out", digest: digestOf(file!) },
        { path: "empty", digest: digestOf(new Uint8Array()) },
      ],
      outputDirectories: [
        { path: "dir", treeDigest: digestOf(tree) },
        { path: "", rootDirectoryDigest: digestOf(root) },
      ],
      stdoutDigest: digestOf(stdout!),
    });
    for (const content of [file!, stdout!, tree, inTree!, root, below!, child, inRoot!]) {
      await expect(get(key)).rejects.toThrow("NOT_FOUND");
      await put(content);
    }
    expect((await get(key)).outputDirectories).toHaveLength(2);
  });

  it("is NOT_FOUND when what it names as a tree, and came later, is none", async () => {
    const noTree = Buffer.from([0xff, 0xff, 0xff]);
    const key = newKey();
    await update(key, { outputDirectories: [{ path: "dir", treeDigest: digestOf(noTree) }] });
    await put(noTree);
    await expect(get(key)).rejects.toThrow("NOT_FOUND");
  });

  it("is NOT_FOUND when a digest tells another length than the content has", async () => {
    const content = randomBytes(10);
    await put(content);
    const key = newKey();
    const digest = { ...digestOf(content), sizeBytes: 11n };
    await update(key, { outputFiles: [{ path: "out", digest }] });
    await expect(get(key)).rejects.toThrow("NOT_FOUND");
  });

  it("moves what was inlined into the CAS, and inlines what is asked for", async () => {
    const [stdout, stderr, file] = ["out", "err", "file"].map((text) => Buffer.from(`${text}-1`));
    const key = newKey();
    const stored = await update(key, {
      stdoutRaw: Uint8Array.from(stdout!),
      stderrRaw: Uint8Array.from(stderr!),
      outputFiles: [
        { path: "f", digest: digestOf(file!), contents: Uint8Array.from(file!) },
        { path: "without-a-digest", contents: Uint8Array.from(file!) },
      ],
    });
    expect(stored.stdoutRaw).toHaveLength(0);
    expect(stored.stdoutDigest).toMatchObject(digestOf(stdout!));
    expect(stored.outputFiles.map(({ digest }) => digest?.hash)).toEqual([
      digestOf(file!).hash,
      digestOf(file!).hash,
    ]);
    const { responses } = await server.client.call(Cas.method.batchReadBlobs, {
      digests: [stdout!, stderr!, file!].map((bytes) => digestOf(bytes)),
    });
    expect(responses.map(({ data }) => Buffer.from(data).toString())).toEqual([
      "out-1",
      "err-1",
      "file-1",
    ]);
    const plain = await get(key);
    expect([plain.stdoutRaw, plain.outputFiles[0]?.contents]).toEqual([
      new Uint8Array(),
      new Uint8Array(),
    ]);
    const inline = await get(key, {
      inlineStdout: true,
      inlineStderr: true,
      inlineOutputFiles: ["f", "nowhere"],
    });
    expect(Buffer.from(inline.stdoutRaw).toString()).toBe("out-1");
    expect(Buffer.from(inline.stderrRaw).toString()).toBe("err-1");
    expect(Buffer.from(inline.outputFiles[0]?.contents ?? []).toString()).toBe("file-1");
    expect(inline.outputFiles[1]?.contents).toHaveLength(0);
  });

  it("inlines no more than fits into the message that a client takes", async () => {
    const large = [1, 2, 3].map(() => randomBytes(1_500_000));
    for (const each of large) await put(each);
    const key = newKey();
    await update(key, {
      outputFiles: large.map((each, index) => ({ path: `f${index}`, digest: digestOf(each) })),
    });
    const { outputFiles } = await get(key, { inlineOutputFiles: ["f0", "f1", "f2"] });
    expect(outputFiles.map(({ contents }) => contents.length)).toEqual([1_500_000, 1_500_000, 0]);
  });

  it("is not kept when its Action says so", async () => {
    const action = toBinary(ActionSchema, create(ActionSchema, { doNotCache: true }));
    await put(action);
    expect((await update(digestOf(action), { exitCode: 9 })).exitCode).toBe(9);
    await expect(get(digestOf(action))).rejects.toThrow("NOT_FOUND");
  });

  const valid = { hash: "a".repeat(64), sizeBytes: 1n };
  it.each<[string, object]>([
    ["no digest of the action", { actionDigest: undefined, actionResult: {} }],
    ["a short hash", { actionDigest: { hash: "abc", sizeBytes: 1n }, actionResult: {} }],
    [
      "letters in upper case",
      { actionDigest: { hash: "A".repeat(64), sizeBytes: 1n }, actionResult: {} },
    ],
    ["a negative size", { actionDigest: { ...valid, sizeBytes: -1n }, actionResult: {} }],
    ["no result", { actionDigest: valid }],
    ["a file without a path", { actionResult: { outputFiles: [{ digest: valid }] } }],
    ["an absolute path", { actionResult: { outputFiles: [{ path: "/x", digest: valid }] } }],
    ["a file without a digest", { actionResult: { outputFiles: [{ path: "x" }] } }],
    [
      "a hash that is a path",
      {
        actionResult: { outputFiles: [{ path: "x", digest: { hash: "../../x", sizeBytes: 1n } }] },
      },
    ],
    [
      "a file of no bytes with the hash of some",
      { actionResult: { outputFiles: [{ path: "x", digest: { ...valid, sizeBytes: 0n } }] } },
    ],
    ["a directory without a tree", { actionResult: { outputDirectories: [{ path: "x" }] } }],
    [
      "an absolute directory",
      { actionResult: { outputDirectories: [{ path: "/x", treeDigest: valid }] } },
    ],
    ["a link without a target", { actionResult: { outputSymlinks: [{ path: "x" }] } }],
    ["a link without a path", { actionResult: { outputFileSymlinks: [{ target: "x" }] } }],
    [
      "an absolute link",
      { actionResult: { outputDirectorySymlinks: [{ path: "/x", target: "y" }] } },
    ],
    [
      "a stream that is no digest",
      { actionResult: { stdoutDigest: { hash: "x", sizeBytes: 1n } } },
    ],
    [
      "contents that are not those of their digest",
      {
        actionResult: {
          outputFiles: [{ path: "x", digest: valid, contents: Uint8Array.of(1, 2) }],
        },
      },
    ],
    [
      "a digest function that is not served",
      { actionResult: {}, digestFunction: DigestFunction_Value.MD5 },
    ],
    ["an instance that leaves", { actionResult: {}, instanceName: "../x" }],
    ["an instance with a segment of nothing", { actionResult: {}, instanceName: "a//b" }],
    ["an instance that no blob could be named in", { actionResult: {}, instanceName: "a/blobs" }],
  ])("is refused: %s", async (_, request) => {
    const key = newKey();
    await expect(
      server.client.call(ActionCache.method.updateActionResult, {
        actionDigest: key,
        ...request,
      }),
    ).rejects.toThrow("INVALID_ARGUMENT");
    await expect(get(key)).rejects.toThrow("NOT_FOUND");
  });

  it("is a miss, and no failure, when its record is damaged on the disk", async () => {
    const key = newKey();
    await update(key, { exitCode: 1 });
    const { readdirSync, writeFileSync } = await import("node:fs");
    const folder = `${server.root}/v1/ac/sha256/default`;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) writeFileSync(`${entry.parentPath}/${entry.name}`, "torn");
    await expect(get(key)).rejects.toThrow("NOT_FOUND");
    expect(server.troubles.pop()).toContain("cannot be used");
    await update(key, { exitCode: 2 });
    expect((await get(key)).exitCode).toBe(2);
  });
});
