import { randomBytes } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { startChaosProxy } from "../test/chaos.ts";
import { cleanups, digestOf, failureOf, keyOf, open, readAll } from "../test/open-cache.ts";
import { startServer } from "../test/open-remote.ts";

describe("a network between us and a remote cache", () => {
  async function through() {
    const server = await startServer();
    cleanups.push(server.stop);
    const proxy = await startChaosProxy(server.address);
    cleanups.push(proxy.close);
    const direct = open(server.address);
    return { proxy, direct, address: `127.0.0.1:${proxy.port}` };
  }

  it.each([false, true])(
    "that is slow costs time and nothing else (compressed: %s)",
    async (compression) => {
      const { proxy, address } = await through();
      proxy.faults = { latencyMs: 15, jitterMs: 10 };
      const cache = open(address, { compression, timeoutMs: 20_000 });
      const blobs = [randomBytes(10), randomBytes(3_000_000)];
      for (const bytes of blobs) await cache.blobs.write(digestOf(bytes), bytes);
      for (const bytes of blobs)
        expect((await readAll(cache, digestOf(bytes))).equals(bytes)).toBe(true);
    },
  );

  it.each([false, true])(
    "that breaks in mid-body has large blobs go on where they broke off (compressed: %s)",
    async (compression) => {
      const { proxy, direct, address } = await through();
      const bytes = randomBytes(7_000_000);
      await direct.blobs.write(digestOf(bytes), bytes);
      const cache = open(address, { compression, timeoutMs: 10_000 });
      await cache.connect();
      proxy.faults = { cutAfterBytes: 3_000_000 };
      const before = proxy.connections();
      expect((await readAll(cache, digestOf(bytes))).equals(bytes)).toBe(true);
      expect(proxy.connections()).toBeGreaterThan(before);
    },
  );

  it("that flips bits never gives other bytes than were asked for", async () => {
    const { proxy, direct, address } = await through();
    const blobs = Array.from({ length: 5 }, () => randomBytes(200_000));
    for (const bytes of blobs) await direct.blobs.write(digestOf(bytes), bytes);
    let damaged = 0;
    for (const [index, bytes] of blobs.entries()) {
      const cache = open(address, { timeoutMs: 1_000 });
      proxy.faults = {};
      await cache.connect();
      proxy.faults = { flipAtByte: 500 + index * 7_777 };
      const result = await readAll(cache, digestOf(bytes)).catch(() => undefined);
      if (result === undefined) damaged += 1;
      expect(result?.equals(bytes)).not.toBe(false);
    }
    expect(damaged).toBeGreaterThan(0);
  });

  it("that resets, or drips, or is not there fails within the bound", async () => {
    const { proxy, direct, address } = await through();
    const bytes = randomBytes(2_000_000);
    await direct.blobs.write(digestOf(bytes), bytes);
    proxy.faults = { reset: true };
    expect(await failureOf(() => open(address).actions.get(keyOf("x")))).toContain(
      "AC_STORE_UNAVAILABLE",
    );
    expect(await failureOf(() => open("127.0.0.1:1").actions.get(keyOf("x")))).toMatch(
      /ECONNREFUSED 127\.0\.0\.1:1\.$/,
    );
    proxy.faults = { dripBytesPerSecond: 20 };
    const slow = open(address, { timeoutMs: 500 });
    expect(await failureOf(() => readAll(slow, digestOf(bytes)))).toContain(
      "CAS_STORE_UNAVAILABLE",
    );
    expect(
      await failureOf(() => open("192.0.2.1:9092", { timeoutMs: 300 }).actions.get(keyOf("x"))),
    ).toContain("no answer within 0.3 s");
  });
});

describe("an upload to a remote cache", () => {
  it("goes on where it broke off", async () => {
    const server = await startServer();
    cleanups.push(server.stop);
    const proxy = await startChaosProxy(server.address);
    cleanups.push(proxy.close);
    const cache = open(`127.0.0.1:${proxy.port}`, { timeoutMs: 10_000, compression: false });
    await cache.connect();
    const bytes = randomBytes(30_000_000);
    // What the server says on the way (windows, mostly) is little: it breaks in the middle of the upload.
    proxy.faults = { cutAfterBytes: 400 };
    setTimeout(() => void (proxy.faults = {}), 1500);
    await cache.blobs.write(digestOf(bytes), bytes);
    proxy.faults = {};
    expect((await readAll(cache, digestOf(bytes))).equals(bytes)).toBe(true);
  });

  it("may be slow: what is in the socket moves, though nobody sees it", async () => {
    const server = await startServer();
    cleanups.push(server.stop);
    const proxy = await startChaosProxy(server.address);
    cleanups.push(proxy.close);
    const cache = open(`127.0.0.1:${proxy.port}`, { timeoutMs: 1_000, compression: false });
    await cache.connect();
    proxy.faults = { uploadBytesPerSecond: 1_000_000 };
    const bytes = randomBytes(2_500_000);
    await cache.blobs.write(digestOf(bytes), bytes);
    expect(cache.isUsable("write")).toBe(true);
  });

  it("row 44: has no question wait behind it in the socket", async () => {
    const server = await startServer();
    cleanups.push(server.stop);
    const proxy = await startChaosProxy(server.address);
    cleanups.push(proxy.close);
    const cache = open(`127.0.0.1:${proxy.port}`, { timeoutMs: 60_000, compression: false });
    await cache.connect();
    // Whatever connects did so: what is sent takes a quarter of a minute from now.
    await cache.blobs.write(digestOf(Buffer.from("x")), Buffer.from("x"));
    proxy.faults = { uploadBytesPerSecond: 100_000 };
    let isSent = false;
    const stop = new AbortController();
    const bytes = randomBytes(1_500_000);
    const sent = cache.blobs
      .write(digestOf(bytes), bytes, stop.signal)
      .then(() => void (isSent = true))
      .catch(() => undefined);
    // All of it is with the socket now.
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (const text of ["x", "y", "z"])
      expect(await cache.actions.get(keyOf(text))).toBeUndefined();
    expect(isSent).toBe(false);
    stop.abort();
    await sent;
  });
});

describe("a proxy that http_proxy names", () => {
  // The first one: of what was opened before, and tries on, there would be words in between.
  it("and does not do is named in what a call fails with, and nothing is printed", async () => {
    const printed = vi.spyOn(console, "error");
    cleanups.push(() => printed.mockRestore());
    vi.stubEnv("http_proxy", "http://127.0.0.1:1");
    cleanups.push(() => vi.unstubAllEnvs());
    const cache = open("", { endpoint: "grpc://cache.invalid:8485" });
    await expect(cache.connect()).rejects.toThrow(
      /^UNAVAILABLE: Failed to connect to proxy 127\.0\.0\.1:1 /,
    );
    expect(printed).not.toHaveBeenCalled();
  });

  it("is not asked for this machine itself, and does not get its token", async () => {
    const server = await startServer();
    cleanups.push(server.stop);
    let asked = 0;
    const proxy = createServer((socket) => {
      asked += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => proxy.close());
    for (const name of ["no_proxy", "no_grpc_proxy", "grpc_proxy", "https_proxy"])
      vi.stubEnv(name, "");
    vi.stubEnv("http_proxy", `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    cleanups.push(() => vi.unstubAllEnvs());
    await open(server.address).connect();
    expect(asked).toBe(0);
    const elsewhere = open("", { endpoint: "grpc://cache.invalid:8485" });
    await expect(elsewhere.connect()).rejects.toThrow("UNAVAILABLE");
    expect(asked).toBeGreaterThan(0);
  });
});
