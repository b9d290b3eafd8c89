import { hashBytes } from "@cuenv/digest";
import { create } from "@bufbuild/protobuf";
import {
  ActionCache,
  ActionResultSchema,
  ByteStream,
  Capabilities,
  Compressor_Value,
  ContentAddressableStorage as Cas,
  DigestFunction_Value,
  Health,
  HealthCheckResponse_ServingStatus as Serving,
  RequestMetadataSchema,
} from "@cuenv/reapi/messages";
import { toBinary } from "@bufbuild/protobuf";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { frame, raw, statusOf } from "../../test/raw-grpc.ts";
import { grant } from "../../test/running-server.ts";
import { type RunningGrpcServer, startGrpcServer } from "../../test/running-grpc-server.ts";

let isReady = true;
let server: RunningGrpcServer;
beforeAll(async () => {
  server = await startGrpcServer({
    isReady: () => isReady,
    access: {
      grants: [
        grant("main"),
        grant("other", { namespaces: ["other"] }),
        grant("reader", { scopes: ["read"] }),
        grant("writer", { scopes: ["write"] }),
        grant("pull-request", { namespaces: ["pr-1"], readsThrough: ["main"] }),
      ],
      anonymous: { namespaces: ["public"], scopes: ["read"] },
    },
  });
});
afterAll(() => server.stop());

const digestOf = (bytes: Uint8Array) => {
  const { hash, sizeBytes } = hashBytes("sha256", bytes);
  return { hash, sizeBytes: BigInt(sizeBytes) };
};
const as = (token: string | undefined) => ({ token });
const put = (token: string | undefined, data: Uint8Array, instanceName = "") =>
  server.client.call(
    Cas.method.batchUpdateBlobs,
    { instanceName, requests: [{ digest: digestOf(data), data: Uint8Array.from(data) }] },
    as(token),
  );
const isMissing = async (token: string | undefined, data: Uint8Array, instanceName = "") => {
  const request = { instanceName, blobDigests: [digestOf(data)] };
  const answer = await server.client.call(Cas.method.findMissingBlobs, request, as(token));
  return answer.missingBlobDigests.length === 1;
};
const read = async (token: string | undefined, data: Uint8Array) => {
  const { hash } = digestOf(data);
  const request = { resourceName: `blobs/${hash}/${data.length}` };
  await server.client.stream(ByteStream.method.read, request, as(token));
  const { responses } = await server.client.call(
    Cas.method.batchReadBlobs,
    { digests: [digestOf(data)] },
    as(token),
  );
  return responses[0]?.status?.code ?? 0;
};
const update = (token: string, actionDigest: object, exitCode: number, output: Uint8Array) =>
  server.client.call(
    ActionCache.method.updateActionResult,
    {
      actionDigest,
      actionResult: create(ActionResultSchema, {
        exitCode,
        outputFiles: [{ path: "out", digest: digestOf(output) }],
      }),
    },
    as(token),
  );
const get = async (token: string | undefined, actionDigest: object) =>
  (await server.client.call(ActionCache.method.getActionResult, { actionDigest }, as(token)))
    .exitCode;

describe("namespaces of a server", () => {
  it("T1: tell nothing of each other: what one stored is missing to another, though it is stored once", async () => {
    const data = randomBytes(5000);
    await put("main", data);
    expect(await isMissing("main", data)).toBe(false);
    expect(await isMissing("other", data)).toBe(true);
    await expect(read("other", data)).rejects.toThrow("NOT_FOUND");
    expect(await read("main", data)).toBe(0);
    await put("other", data);
    expect(await read("other", data)).toBe(0);
    const { readdirSync } = await import("node:fs");
    const { hash } = digestOf(data);
    expect(readdirSync(`${server.root}/v1/cas/sha256/${hash.slice(0, 2)}`)).toEqual([hash]);
  });

  it("T1: let a pull request read main, and main nothing of it", async () => {
    const [ofMain, ofPr] = [randomBytes(100), randomBytes(100)];
    const [key, own] = [digestOf(randomBytes(9)), digestOf(randomBytes(9))];
    await put("main", ofMain);
    await update("main", key, 1, ofMain);
    expect(await get("pull-request", key)).toBe(1);
    expect(await isMissing("pull-request", ofMain)).toBe(false);
    expect(await read("pull-request", ofMain)).toBe(0);
    await put("pull-request", ofPr);
    await update("pull-request", key, 66, ofPr);
    await update("pull-request", own, 67, ofMain);
    expect(await get("pull-request", key)).toBe(66);
    expect(await get("pull-request", own)).toBe(67);
    expect(await get("main", key)).toBe(1);
    await expect(get("main", own)).rejects.toThrow("NOT_FOUND");
    expect(await isMissing("main", ofPr)).toBe(true);
    await expect(read("main", ofPr)).rejects.toThrow("NOT_FOUND");
  });

  it("T1: are a pull request's own where it names that of main", async () => {
    const data = randomBytes(100);
    await put("pull-request", data, "main");
    expect(await isMissing("pull-request", data)).toBe(false);
    expect(await isMissing("main", data)).toBe(true);
  });
});

describe("who calls", () => {
  it("is UNAUTHENTICATED with a token that nobody knows, whatever is called", async () => {
    const data = randomBytes(3);
    for (const token of ["unknown", ""]) {
      const named =
        token === "" ? { headers: { authorization: "Digest x" }, token: undefined } : as(token);
      const request = { instanceName: "main" };
      for (const refused of [
        server.client.call(Capabilities.method.getCapabilities, request, named),
        server.client.call(Cas.method.findMissingBlobs, request, named),
        server.client.call(
          ActionCache.method.getActionResult,
          { actionDigest: digestOf(data) },
          named,
        ),
        server.client.stream(Cas.method.getTree, { rootDigest: digestOf(data) }, named),
        server.client.stream(
          ByteStream.method.read,
          { resourceName: `blobs/${digestOf(data).hash}/3` },
          named,
        ),
      ])
        await expect(refused).rejects.toThrow("UNAUTHENTICATED");
    }
  });

  it("is told so before its message is read, so that nobody unknown fills the memory", async () => {
    const services = [Cas, ActionCache, ByteStream, Capabilities];
    const paths = services.flatMap(({ methods, typeName }) =>
      methods.map(({ name }) => `/${typeName}/${name}`),
    );
    expect(paths.length).toBeGreaterThan(10);
    for (const path of paths) {
      const answer = await raw(
        server.port,
        path,
        (stream) => {
          stream.write(frame(Buffer.alloc(1000)).subarray(0, 100));
          stream.once("response", () => stream.close());
        },
        { authorization: "Bearer unknown" },
      );
      expect(statusOf(answer), path).toBe(16);
    }
    const long = await raw(server.port, "/grpc.health.v1.Health/Check", frame(Buffer.alloc(5000)));
    expect(statusOf(long)).toBe(8);
  });

  it("is told PERMISSION_DENIED for what its token is not for", async () => {
    const data = randomBytes(3);
    await expect(put("main", data, "other")).rejects.toThrow(
      "PERMISSION_DENIED: main may not write in other",
    );
    await expect(put("reader", data)).rejects.toThrow("PERMISSION_DENIED");
    await expect(update("reader", digestOf(data), 0, data)).rejects.toThrow("PERMISSION_DENIED");
    const name = `uploads/u/blobs/${digestOf(data).hash}/3`;
    await expect(
      server.client.send(
        ByteStream.method.write,
        [{ resourceName: name, data, finishWrite: true }],
        as("reader"),
      ),
    ).rejects.toThrow("PERMISSION_DENIED");
    expect(await isMissing("main", data)).toBe(true);
  });

  it("may write without reading: is told what it would have to send, and gets nothing", async () => {
    const data = randomBytes(3);
    const answer = await server.client.call(Capabilities.method.getCapabilities, {}, as("writer"));
    expect(answer.cacheCapabilities?.actionCacheUpdateCapabilities?.updateEnabled).toBe(true);
    expect(await isMissing("writer", data)).toBe(true);
    await put("writer", data);
    expect(await isMissing("writer", data)).toBe(false);
    await update("writer", digestOf(data), 0, data);
    await expect(read("writer", data)).rejects.toThrow("PERMISSION_DENIED: writer may not read");
    const asked = { actionDigest: digestOf(data) };
    await expect(
      server.client.call(ActionCache.method.getActionResult, asked, as("writer")),
    ).rejects.toThrow("PERMISSION_DENIED");
    expect(await isMissing("main", data)).toBe(false);
    await expect(isMissing("writer", data, "other")).rejects.toThrow("may not read or write");
  });

  it("may read without a token only where that is configured", async () => {
    expect(await isMissing(undefined, randomBytes(3), "public")).toBe(true);
    await expect(isMissing(undefined, randomBytes(3), "main")).rejects.toThrow("PERMISSION_DENIED");
    await expect(put(undefined, randomBytes(3), "public")).rejects.toThrow("PERMISSION_DENIED");
  });

  it("may have its token as the password of Basic", async () => {
    const header = `Basic ${Buffer.from("user:main").toString("base64")}`;
    const options = { token: undefined, headers: { authorization: header } };
    const answer = await server.client.call(Cas.method.findMissingBlobs, {}, options);
    expect(answer.missingBlobDigests).toEqual([]);
  });
});

describe("capabilities", () => {
  const ask = (token: string, headers = {}) =>
    server.client.call(Capabilities.method.getCapabilities, {}, { token, headers });

  it("tell what is served, from API 2.0 on", async () => {
    const { cacheCapabilities: cache, lowApiVersion, highApiVersion } = await ask("main");
    expect(cache?.digestFunctions).toEqual([
      DigestFunction_Value.SHA256,
      DigestFunction_Value.BLAKE3,
    ]);
    expect(cache?.supportedCompressors).toEqual([Compressor_Value.ZSTD]);
    expect(cache?.maxBatchTotalSizeBytes).toBeLessThan(4n * 1024n * 1024n);
    expect(cache).toMatchObject({ splitBlobSupport: true, spliceBlobSupport: true });
    expect(lowApiVersion).toMatchObject({ major: 2, minor: 0 });
    expect(highApiVersion?.major).toBe(2);
  });

  it("tell who may only read that nothing is taken, but not to a Bazel that would fail the build for it", async () => {
    const updates = async (token: string, toolVersion?: string) => {
      const metadata = create(RequestMetadataSchema, {
        toolDetails: { toolName: "bazel", toolVersion: toolVersion ?? "" },
      });
      const header = "build.bazel.remote.execution.v2.requestmetadata-bin";
      const value = Buffer.from(toBinary(RequestMetadataSchema, metadata));
      const headers = toolVersion === undefined ? {} : { [header]: value };
      const { cacheCapabilities: cache } = await ask(token, headers);
      return cache?.actionCacheUpdateCapabilities?.updateEnabled;
    };
    expect(await updates("main")).toBe(true);
    expect(await updates("reader")).toBe(false);
    expect(await updates("reader", "7.7.1")).toBe(false);
    expect(await updates("reader", "4.2.3- (@non-git)")).toBe(true);
  });
});

describe("health", () => {
  const check = (service: string) =>
    server.client.call(Health.method.check, { service }, as(undefined));

  it("needs no token, and says when the server ends", async () => {
    for (const service of [
      "",
      "build.bazel.remote.execution.v2.ActionCache",
      "google.bytestream.ByteStream",
    ])
      expect((await check(service)).status).toBe(Serving.SERVING);
    await expect(check("no.such.Service")).rejects.toThrow("NOT_FOUND");
    isReady = false;
    expect((await check("")).status).toBe(Serving.NOT_SERVING);
    isReady = true;
  });

  it("is watched: the state, and its changes, until the server ends, which waits for no watcher", async () => {
    const watched = server.client.stream(
      Health.method.watch,
      { service: "" },
      { token: undefined, deadlineMs: 10_000 },
    );
    setTimeout(() => void (isReady = false), 100);
    const answers = await watched;
    isReady = true;
    expect(answers.map(({ status }) => status)).toEqual([Serving.SERVING, Serving.NOT_SERVING]);
  });
});
