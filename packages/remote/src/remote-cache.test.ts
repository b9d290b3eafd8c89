import {
  ActionCache,
  ByteStream,
  Compressor_Value,
  ContentAddressableStorage as Cas,
  DigestFunction_Value,
} from "@cuenv/reapi/messages";
import { hashToken } from "@cuenv/server";
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { startChaosProxy } from "../test/chaos.ts";
import { capable, on } from "../test/fake-server.ts";
import {
  cleanups,
  digestOf,
  failureOf,
  keyOf,
  open,
  readAll,
  scripted,
} from "../test/open-cache.ts";
import { openRemote, startServer } from "../test/open-remote.ts";
import { failuresToOpen, openMs } from "./circuit-breaker.ts";

describe("what a remote cache can do", () => {
  it("is asked once, and a server that is no cache for us is asked nothing else", async () => {
    const server = await scripted(
      capable({ digestFunctions: [DigestFunction_Value.BLAKE3] }),
      on(Cas.method.findMissingBlobs, () => ({})),
    );
    const cache = open(server.address);
    const digest = digestOf(Buffer.from("x"));
    for (let count = 0; count < 3; count += 1)
      expect(await failureOf(() => cache.blobs.missing([digest]))).toContain(
        "the server has no SHA256 digests",
      );
    expect([cache.isUsable("read"), cache.isUsable("write")]).toEqual([false, false]);
    expect(server.calls).toEqual(["GetCapabilities"]);
  });

  it("is taken for the usual where the server does not say", async () => {
    const server = await scripted(
      on(Cas.method.findMissingBlobs, () => ({ missingBlobDigests: [] })),
    );
    const cache = open(server.address);
    expect(await cache.blobs.missing([digestOf(Buffer.from("x"))])).toEqual([]);
    expect(server.calls).toEqual(["FindMissingBlobs"]);
  });

  it("is told to who may only write, too: reading is refused, and what is made here is sent", async () => {
    const token = "may-only-write";
    const writer = { name: "writer", sha256: hashToken(token), namespaces: "*" } as const;
    const { cache, server, close } = await openRemote({
      server: await startServer({ access: { grants: [{ ...writer, scopes: ["write"] }] } }),
      token,
    });
    cleanups.push(async () => {
      await close();
      await server.stop();
    });
    expect(await failureOf(() => cache.actions.get(keyOf("x")))).toContain("writer may not read");
    expect([cache.isUsable("read"), cache.isUsable("write")]).toEqual([false, true]);
    const blob = randomBytes(10);
    expect(await cache.blobs.missing([digestOf(blob)])).toEqual([digestOf(blob)]);
    await cache.blobs.write(digestOf(blob), blob);
    expect(await cache.blobs.missing([digestOf(blob)])).toEqual([]);
    await cache.actions.put(keyOf("x"), Buffer.from("entry"));
    expect(cache.isUsable("write")).toBe(true);
  });

  it("says whether it takes results: one that does not is only read", async () => {
    const server = await scripted(
      capable({ actionCacheUpdateCapabilities: { updateEnabled: false } }),
      on(ActionCache.method.getActionResult, () => "NOT_FOUND" as const),
    );
    const cache = open(server.address);
    expect(await cache.actions.get(keyOf("x"))).toBeUndefined();
    expect([cache.isUsable("read"), cache.isUsable("write")]).toEqual([true, false]);
    expect(await failureOf(() => cache.actions.put(keyOf("x"), Buffer.from("e")))).toContain(
      "AC_STORE_UNAVAILABLE",
    );
    expect(server.calls).toEqual(["GetCapabilities", "GetActionResult"]);
  });

  it("bounds the size of blobs, and of batches", async () => {
    const sizes: number[] = [];
    const server = await scripted(
      capable({ maxBatchTotalSizeBytes: 10_000n, maxCasBlobSizeBytes: 50_000n }),
      on(Cas.method.batchUpdateBlobs, ({ requests }) => {
        sizes.push(requests.reduce((sum, { data }) => sum + data.length, 0));
        return { responses: requests.map(({ digest }) => ({ ...(digest && { digest }) })) };
      }),
      on(ByteStream.method.write, ({ resourceName }) => ({
        committedSize: BigInt(resourceName.split("/").at(-1) ?? 0),
      })),
    );
    const cache = open(server.address);
    const blobs = Array.from({ length: 20 }, () => randomBytes(3_000));
    await Promise.all(blobs.map((bytes) => cache.blobs.write(digestOf(bytes), bytes)));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10_000);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(60_000);
    await cache.blobs.ingest(randomBytes(20_000));
    expect(server.calls.filter((name) => name === "Write")).toHaveLength(1);
    expect(await failureOf(() => cache.blobs.ingest(randomBytes(60_000)))).toContain(
      "takes no more than 50000 bytes",
    );
  });
});

describe("a blob that comes in many frames of zstd", () => {
  it("is read whole, from a stream and from a batch", async () => {
    const [large, small] = [randomBytes(5_000_000), Buffer.from("some text ".repeat(5000))];
    // As bazel-remote keeps it: a frame for each part, whatever the pieces are in which they come (there the parts are a mebibyte).
    const frames = (bytes: Buffer, part: number): Buffer => {
      const parts: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += part)
        parts.push(zstdCompressSync(bytes.subarray(at, at + part)));
      return Buffer.concat(parts);
    };
    const stream = frames(large, 100_001);
    const server = await scripted(
      capable({ supportedCompressors: [Compressor_Value.IDENTITY, Compressor_Value.ZSTD] }),
      on(ByteStream.method.read, () => {
        const chunks: { data: Uint8Array }[] = [];
        for (let at = 0; at < stream.length; at += 700_000)
          chunks.push({ data: Uint8Array.from(stream.subarray(at, at + 700_000)) });
        return chunks;
      }),
      on(Cas.method.batchReadBlobs, ({ digests }) => ({
        responses: digests.map((digest) => ({
          digest,
          data: Uint8Array.from(frames(small, 9999)),
          compressor: Compressor_Value.ZSTD,
        })),
      })),
    );
    const cache = open(server.address, { compression: true });
    expect((await readAll(cache, digestOf(large))).equals(large)).toBe(true);
    expect((await readAll(cache, digestOf(small))).equals(small)).toBe(true);
    expect(new Set(server.calls)).toEqual(new Set(["GetCapabilities", "Read", "BatchReadBlobs"]));
  });
});

describe("a blob that two send at the same time", () => {
  it("is there for one of them when the other was called off, or its source failed", async () => {
    const server = await startServer();
    cleanups.push(server.stop);
    const cache = open(server.address);
    const stop = new AbortController();
    const bytes = randomBytes(2_000_000);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 1000);
      await new Promise((resolve) => setTimeout(resolve, 100));
      throw new Error("its disk failed");
    }
    const first = failureOf(() => cache.blobs.write(digestOf(bytes), failing()));
    await cache.blobs.write(digestOf(bytes), bytes);
    expect(await first).toContain("its disk failed");
    const others = randomBytes(2_000_000);
    const called = failureOf(() => cache.blobs.write(digestOf(others), others, stop.signal));
    const second = cache.blobs.write(digestOf(others), others);
    stop.abort(new Error("called off"));
    await second;
    expect(await called).toContain("called off");
    for (const each of [bytes, others])
      expect((await readAll(cache, digestOf(each))).equals(each)).toBe(true);
  });
});

describe("calls of a remote cache", () => {
  it("row 12: bear the token, and no failure has it", async () => {
    const seen: unknown[] = [];
    const server = await scripted(
      capable(),
      on(Cas.method.findMissingBlobs, (_, metadata) => {
        seen.push(metadata.get("authorization"));
        return "INTERNAL" as const;
      }),
      on(Cas.method.batchUpdateBlobs, ({ requests }, metadata) => ({
        responses: requests.map(({ digest }) => ({
          ...(digest === undefined ? {} : { digest }),
          status: { code: 3, message: `not for ${String(metadata.get("authorization"))}` },
        })),
      })),
      on(ActionCache.method.getActionResult, () => "UNAUTHENTICATED" as const),
    );
    const cache = open(server.address, { token: "s3cret-token" });
    const x = Buffer.from("x");
    for (const [step, told] of [
      [() => cache.blobs.missing([digestOf(x)]), "INTERNAL: as scripted for Bearer …"],
      [() => cache.blobs.write(digestOf(x), x), "INVALID_ARGUMENT: not for Bearer …"],
      [() => cache.actions.get(keyOf("x")), "UNAUTHENTICATED: as scripted for Bearer …"],
    ] as const) {
      const failure = await step().catch((error: unknown) => error);
      const all = inspect(failure, { depth: 10, showHidden: true });
      expect(all).toContain(told);
      expect(all).not.toContain("s3cret");
    }
    expect(seen).toEqual([["Bearer s3cret-token"]]);
  });

  it("row 14: are never more at once than configured, batches and streams together", async () => {
    let inFlight = 0;
    let most = 0;
    const during = async <Value>(value: Value): Promise<Value> => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inFlight -= 1;
      return value;
    };
    const large = randomBytes(1_500_000);
    const server = await scripted(
      capable(),
      on(Cas.method.findMissingBlobs, () => during({ missingBlobDigests: [] })),
      on(ByteStream.method.read, () => during([{ data: large }])),
    );
    const cache = open(server.address, { maxConcurrent: 3 });
    await Promise.all(
      Array.from({ length: 15 }, async (_, index) => {
        await cache.blobs.missing([digestOf(Buffer.from(`${index}`))]);
        expect((await readAll(cache, digestOf(large))).length).toBe(large.length);
      }),
    );
    expect(most).toBe(3);
  });

  it("row 44: that read do not wait for those that write", async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => void (release = resolve));
    let writing = 0;
    const server = await scripted(
      capable(),
      on(ActionCache.method.getActionResult, () => "NOT_FOUND" as const),
      on(ByteStream.method.write, async ({ resourceName }) => {
        writing += 1;
        await released;
        return { committedSize: BigInt(resourceName.split("/").at(-1) ?? 0) };
      }),
    );
    const cache = open(server.address, { maxConcurrent: 3 });
    const sent = Array.from({ length: 4 }, async () => {
      const bytes = randomBytes(1_500_000);
      await cache.blobs.write(digestOf(bytes), bytes);
    });
    await expect.poll(() => writing).toBe(2);
    expect(await cache.actions.get(keyOf("x"))).toBeUndefined();
    expect(writing).toBe(2);
    release();
    await Promise.all(sent);
    expect(writing).toBe(4);
  });

  it("have all of their time, however long they waited for others", async () => {
    const server = await scripted(
      capable(),
      on(ByteStream.method.write, async ({ resourceName }) => {
        await new Promise((resolve) => setTimeout(resolve, 800));
        return { committedSize: BigInt(resourceName.split("/").at(-1) ?? 0) };
      }),
    );
    const cache = open(server.address, { maxConcurrent: 1, timeoutMs: 1500 });
    const sent = Array.from({ length: 3 }, async () => {
      const bytes = randomBytes(1_500_000);
      await cache.blobs.write(digestOf(bytes), bytes);
    });
    await Promise.all(sent);
    expect(cache.isUsable("write")).toBe(true);
  });

  it("are few: what is asked for in one turn goes together, and equal questions are one", async () => {
    const { cache, server, close } = await openRemote();
    cleanups.push(close);
    const blobs = Array.from({ length: 500 }, (_, index) => Buffer.from(`blob ${index}`));
    await Promise.all(
      [...blobs, ...blobs].map((bytes) => cache.blobs.write(digestOf(bytes), bytes)),
    );
    const read = await Promise.all(
      [...blobs, ...blobs].map((bytes) => readAll(cache, digestOf(bytes))),
    );
    expect(read.map(String)).toEqual([...blobs, ...blobs].map(String));
    const counts = Object.groupBy(server.calls, (path) => path.split("/").at(-1) ?? "");
    expect(counts["BatchUpdateBlobs"]).toHaveLength(1);
    expect(counts["BatchReadBlobs"]).toHaveLength(1);
  });

  it("are made again after a status that may pass, and only then", async () => {
    let failures = 2;
    const server = await scripted(
      capable(),
      on(Cas.method.findMissingBlobs, () => {
        failures -= 1;
        return failures >= 0 ? ("UNAVAILABLE" as const) : { missingBlobDigests: [] };
      }),
      on(ActionCache.method.getActionResult, () => "INVALID_ARGUMENT" as const),
    );
    const cache = open(server.address);
    expect(await cache.blobs.missing([digestOf(Buffer.from("x"))])).toEqual([]);
    expect(await failureOf(() => cache.actions.get(keyOf("x")))).toContain("INVALID_ARGUMENT");
    expect(server.calls).toEqual([
      "GetCapabilities",
      "FindMissingBlobs",
      "FindMissingBlobs",
      "FindMissingBlobs",
      "GetActionResult",
    ]);
  });

  it("end at the caller's signal, with its reason", async () => {
    const server = await scripted(
      capable(),
      on(ByteStream.method.read, () => new Promise<never>(() => undefined)),
      on(Cas.method.batchReadBlobs, () => new Promise<never>(() => undefined)),
      on(Cas.method.batchUpdateBlobs, () => new Promise<never>(() => undefined)),
    );
    const cache = open(server.address, { timeoutMs: 60_000 });
    const stop = new AbortController();
    const reading = [5_000_000, 5].map((sizeBytes) =>
      failureOf(async () => {
        const digest = { hash: "a".repeat(64), sizeBytes };
        for await (const _ of cache.blobs.read(digest, { signal: stop.signal })) break;
      }),
    );
    const small = Buffer.from("small");
    const writing = failureOf(() => cache.blobs.write(digestOf(small), small, stop.signal));
    await expect.poll(() => server.calls.length).toBe(4);
    stop.abort(new Error("interrupted"));
    for (const ended of [...reading, writing]) expect(await ended).toContain("interrupted");
    expect(cache.isUsable("read")).toBe(true);
  });
});

describe("a remote cache that is closed", () => {
  it("ends what hangs, and what waits for it", async () => {
    const server = await scripted(
      capable(),
      on(Cas.method.batchUpdateBlobs, () => new Promise<never>(() => undefined)),
    );
    const cache = open(server.address, { maxConcurrent: 1, timeoutMs: 60_000 });
    const write = (bytes: Buffer) => failureOf(() => cache.blobs.write(digestOf(bytes), bytes));
    const hanging = write(randomBytes(5));
    await expect.poll(() => server.calls).toContain("BatchUpdateBlobs");
    const waiting = write(randomBytes(2_000_000));
    cache.close();
    for (const ended of [hanging, waiting])
      expect(await ended).toContain("the connection is closed");
  });
});

describe("the circuit breaker of a remote cache", () => {
  it("opens after some failures, asks nothing while it is open, and tries one call after that", async () => {
    const clock = { now: 1_000_000 };
    let isBroken = true;
    const server = await scripted(
      capable(),
      on(ActionCache.method.getActionResult, () => (isBroken ? "INTERNAL" : "NOT_FOUND")),
    );
    const cache = open(server.address, { now: () => clock.now });
    const asked = () => server.calls.filter((name) => name === "GetActionResult").length;
    for (let count = 0; count < failuresToOpen; count += 1)
      expect(await failureOf(() => cache.actions.get(keyOf("x")))).toContain("INTERNAL");
    expect(cache.isUsable("read")).toBe(false);
    expect(await failureOf(() => cache.actions.get(keyOf("x")))).toContain("not asked for a while");
    expect(asked()).toBe(failuresToOpen);
    clock.now += openMs + 1;
    const both = await Promise.all(
      [1, 2].map(() => failureOf(() => cache.actions.get(keyOf("x")))),
    );
    expect(both.filter((text) => text.includes("INTERNAL"))).toHaveLength(1);
    expect(asked()).toBe(failuresToOpen + 1);
    isBroken = false;
    clock.now += openMs + 1;
    expect(await cache.actions.get(keyOf("x"))).toBeUndefined();
    expect(cache.isUsable("read")).toBe(true);
  });

  it("opens at once after a timeout: three would cost three times as long", async () => {
    const server = await startServer();
    cleanups.push(server.stop);
    const proxy = await startChaosProxy(server.address);
    cleanups.push(proxy.close);
    proxy.faults = { blackHole: true };
    const cache = open(`127.0.0.1:${proxy.port}`, { timeoutMs: 300 });
    const asked = await Promise.all(
      [1, 2, 3].map((index) => failureOf(() => cache.actions.get(keyOf(`${index}`)))),
    );
    expect(asked.every((text) => text.includes("no answer within 0.3 s"))).toBe(true);
    expect(await failureOf(() => cache.actions.get(keyOf("x")))).toContain("not asked for a while");
  });
});
