import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  breakableStore,
  countingStore,
  damageBlobs,
  grant,
  type RunningServer,
  startServer,
} from "../../test/running-server.ts";
import { exitCode, type Member, nxArchive, tarArchive } from "../../test/tar-archive.ts";
import { hashToken } from "../access-policy.ts";

const key = "6830797495987763102";
const path = (name = key): string => `/v1/cache/${name}`;

const grants = [
  grant("main", {}),
  grant("reader", { scopes: ["read"] }),
  grant("pull-request", { namespaces: ["pr-1"], readsThrough: ["main"] }),
  grant("stranger", { namespaces: ["other"] }),
];

describe("Nx' self-hosted cache", () => {
  let server: RunningServer;
  const put = (token: string, body: Buffer, name = key) =>
    server.ask(path(name), { method: "PUT", token, body });
  const get = (token: string, name = key) => server.ask(path(name), { token });
  beforeAll(async () => {
    server = await startServer({ access: { grants }, maxArtifactBytes: 5_000_000 });
  });
  afterAll(() => server.stop());

  it("stores with 200 and gives back the same bytes, below any prefix", async () => {
    const archive = nxArchive([{ path: "dist/main.js", content: "built" }]);
    expect(await put("main", archive)).toMatchObject({
      status: 200,
      headers: { "content-length": "0" },
    });
    const got = await get("main");
    expect(got.status).toBe(200);
    expect(got.body.equals(archive)).toBe(true);
    const below = await server.ask(`//nx/branch//v1/cache/${key}`, { token: "main" });
    expect(below.body.equals(archive)).toBe(true);
  });

  it("writes a key once: what comes later is 409, and changes nothing", async () => {
    const first = nxArchive([{ path: "a", content: "first" }]);
    const all = await Promise.all(
      [first, nxArchive([{ path: "a", content: "second" }])].map((body) =>
        put("main", body, "once"),
      ),
    );
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200, 409]));
    const kept = (await get("main", "once")).body;
    expect((await put("main", nxArchive(), "once")).status).toBe(409);
    expect((await get("main", "once")).body.equals(kept)).toBe(true);
  });

  it("gives a pull request what main has, and main nothing of a pull request", async () => {
    await put("main", nxArchive([{ path: "a", content: "main's" }]), "of-main");
    expect((await get("pull-request", "of-main")).status).toBe(200);
    const poison = nxArchive([{ path: "a", content: "poison" }]);
    expect((await put("pull-request", poison, "of-pr")).status).toBe(200);
    expect((await get("main", "of-pr")).status).toBe(404);
    expect((await get("pull-request", "of-pr")).status).toBe(200);
    // The key that main has, too: its own is read first, and main's stays what it was.
    expect((await put("pull-request", poison, "of-main")).status).toBe(200);
    expect((await get("main", "of-main")).body.equals(poison)).toBe(false);
    expect((await get("stranger", "of-main")).status).toBe(404);
  });

  it("says 401 in bare text/plain to who is not known, for reading and writing", async () => {
    for (const answer of [await get("unknown"), await put("unknown", nxArchive())]) {
      expect(answer.status).toBe(401);
      expect(answer.headers["content-type"]).toBe("text/plain");
      expect(answer.body.toString()).toContain("Unauthorized");
    }
  });

  it("refuses with 403 whatever it does not store, and with nothing else", async () => {
    expect((await put("reader", nxArchive(), "read-only")).status).toBe(403);
    const odd = { method: "PUT", token: "main", body: nxArchive() };
    for (const name of ["a%2Fb", "..%2f..%2fx", "x".repeat(129), "a.b"])
      expect((await server.ask(path(name), odd)).status, name).toBe(403);
    const large = nxArchive([{ path: "random", content: randomBytes(6_000_000) }]);
    expect((await put("main", large, "large")).status).toBe(403);
    for (const name of ["..%2Fmain", "missing", "a.b"])
      expect((await get("main", name)).status).toBe(404);
  });

  it.each<[string, Buffer]>([
    ["no gzip", Buffer.from("nonsense")],
    ["nothing", Buffer.alloc(0)],
    ["an empty archive", gzipSync(tarArchive([]))],
    ["a cut archive", nxArchive([{ path: "a", content: randomBytes(5000) }]).subarray(0, 4000)],
    ["a wrong sum of the compression", flipped(nxArchive(), -6)],
    ["no exit code", gzipSync(tarArchive([{ path: "a", content: "x" }]))],
    ["nothing in its first part", Buffer.concat([gzipSync(""), nxArchive()])],
    ["a second part", Buffer.concat([nxArchive(), gzipSync("x")])],
    ["something behind its end", Buffer.concat([nxArchive(), Buffer.alloc(1000, 1)])],
    [
      "a wrong size of the compression",
      flipped(nxArchive([{ path: "a", content: randomBytes(100_000) }]), -1),
    ],
    ["another exit code", nxArchive([{ path: "./code", content: Buffer.alloc(4) }])],
    ...[9, 20_000].map((size): [string, Buffer] => [
      `no UTF-8 among ${size} bytes of printed text`,
      gzipSync(
        tarArchive([
          { path: "terminalOutput", content: Buffer.alloc(size, "ü").fill(0xff, size - 1) },
          exitCode,
        ]),
      ),
    ]),
    [
      "cut UTF-8 at the end of the printed text",
      gzipSync(tarArchive([{ path: "terminalOutput", content: Buffer.from([0xc3]) }, exitCode])),
    ],
    ["two exit codes", gzipSync(tarArchive([exitCode, exitCode]))],
    ["an exit code of five bytes", gzipSync(tarArchive([{ path: "code", content: "12345" }]))],
    ["a wrong sum of a header", gzipSync(flipped(tarArchive([exitCode]), 3))],
    ["a size beyond its end", gzipSync(tarArchive([{ path: "a", sizeBytes: 9e9 }, exitCode]))],
    ...[
      { path: "../x" },
      { path: "a/../../x" },
      { path: "a/../b" },
      { path: "/etc/passwd" },
      { path: "C:/x" },
      { path: "a\\..\\x" },
      { path: "link", type: "2", target: "../outside" },
      { path: "a/link", type: "2", target: "../../outside" },
      { path: "link", type: "2", target: "/etc/passwd" },
      { path: "hard", type: "1", target: "a" },
      { path: "fifo", type: "6" },
      { path: "device", type: "3" },
      { path: "all", type: "g", content: "10 path=x\n" },
    ].map((member: Member): [string, Buffer] => [JSON.stringify(member), nxArchive([member])]),
    ...[
      [{ path: "long", type: "L", content: "../../x" }, { path: "short" }],
      [
        { path: "long", type: "L", content: "../../x" },
        { path: "pax", type: "x", content: "10 path=x\n" },
        { path: "short" },
      ],
      [{ path: "pax", type: "x", content: "12 size=512\n" }, { path: "a" }],
      // What Nx' client reads differently: lines of another length it passes over, and of two names it takes the first.
      ...["99 path=safe\n", "11 path=..\n13 path=safe\n", "30 comment=x\n13 path=safe\n"].map(
        (content): Member[] => [{ path: "pax", type: "x", content }, { path: "dist/a" }],
      ),
      [{ path: "long", type: "L", content: "safe\0\0" }, { path: "dist/a" }],
      [{ path: "long", type: "L", content: "safe", format: "" }, { path: "dist/a" }],
      [{ path: "/tmp/a", prefix: "safe", format: "ustar\0  " }],
      [{ path: "a" }, { path: "a/b" }],
      [{ path: "a/b" }, { path: "a" }],
      [{ path: "a" }, { path: "a/", type: "5" }],
      [
        { path: "a/link", type: "2", target: ".." },
        { path: "a/./link//b", type: "2", target: "../.." },
      ],
    ].map((members: readonly Member[]): [string, Buffer] => [
      JSON.stringify(members),
      nxArchive(members),
    ]),
  ])("refuses an archive that has %s", async (what, archive) => {
    const name = `bad-${hashToken(what).slice(0, 20)}`;
    expect((await put("main", archive, name)).status).toBe(403);
    expect((await get("main", name)).status).toBe(404);
  });

  it("takes what tar makes of every kind of output, long names and links that stay inside", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nx-archive-"));
    const long = `dist/${"long/".repeat(40)}name`;
    mkdirSync(join(folder, long, ".."), { recursive: true });
    mkdirSync(join(folder, "dist/empty"));
    writeFileSync(join(folder, long), "x");
    writeFileSync(join(folder, "dist/ünïcode name"), randomBytes(100_000));
    writeFileSync(join(folder, "code"), Buffer.alloc(4));
    symlinkSync("../dist/empty", join(folder, "dist/link"));
    for (const format of ["gnu", "pax", "ustar"]) {
      const args = [
        "-czf",
        "-",
        "--no-recursion",
        `--format=${format}`,
        ".",
        "./code",
        "--recursion",
        "dist",
      ];
      const { stdout, status } = spawnSync("tar", args, { cwd: folder, maxBuffer: 1e8 });
      expect(status).toBe(0);
      expect((await put("main", stdout, `by-${format}`)).status, format).toBe(200);
    }
    rmSync(folder, { recursive: true });
  });
});

/** With another byte at a place, from the end where that is negative. */
function flipped(bytes: Buffer, at: number): Buffer {
  const other = Buffer.from(bytes);
  const index = at < 0 ? bytes.length + at : at;
  other.writeUInt8(other.readUInt8(index) ^ 0xff, index);
  return other;
}

describe("a store that fails under Nx", () => {
  let server: RunningServer;
  afterEach(() => server.stop());

  it("is a miss for readers and a refusal for writers, never an error", async () => {
    const store = breakableStore();
    server = await startServer({ wrapBlobs: store.wrapBlobs });
    await server.ask(path(), { method: "PUT", body: nxArchive() });
    store.isBroken = true;
    expect((await server.ask(path())).status).toBe(404);
    expect((await server.ask(path("new"), { method: "PUT", body: nxArchive() })).status).toBe(403);
    expect(server.troubles).toEqual(["EIO", "EIO"]);
  });

  it.each([
    ["a small one", 1000],
    ["one that is sent in parts", 3_000_000],
  ])("that damaged an archive is a miss, and can be written again: %s", async (_, size) => {
    server = await startServer();
    const archive = nxArchive([{ path: "a", content: randomBytes(size) }]);
    await server.ask(path(), { method: "PUT", body: archive });
    damageBlobs(server);
    expect((await server.ask(path())).status).toBe(404);
    const again = nxArchive([{ path: "a", content: "made again" }]);
    expect((await server.ask(path(), { method: "PUT", body: again })).status).toBe(200);
    expect((await server.ask(path())).body.equals(again)).toBe(true);
  });

  it("that takes nothing any more is told to who sent all of it, and does not hang up", async () => {
    server = await startServer();
    await server.ask(path(), { method: "PUT", body: nxArchive() });
    rmSync(server.root, { recursive: true });
    writeFileSync(server.root, "in the way");
    const body = nxArchive([{ path: "a", content: randomBytes(3000) }]);
    expect((await server.ask(path("new"), { method: "PUT", body })).status).toBe(403);
    const turbo = { method: "PUT", body, headers: { "content-type": "application/octet-stream" } };
    expect((await server.ask("/v8/artifacts/abc0", turbo)).status).toBe(503);
  });

  it("that never answers is a miss and a refusal, in bounded time", async () => {
    let isHanging = false;
    const never = new Promise<never>(() => undefined);
    server = await startServer({
      nxDeadlines: { readMs: 50, writeMs: 50 },
      wrapBlobs: (blobs) => ({
        ...blobs,
        missing: (...args) => (isHanging ? never : blobs.missing(...args)),
        ingest: (...args) => (isHanging ? never : blobs.ingest(...args)),
      }),
    });
    await server.ask(path(), { method: "PUT", body: nxArchive() });
    isHanging = true;
    expect((await server.ask(path())).status).toBe(404);
    const body = nxArchive([{ path: "a", content: randomBytes(1_000_000) }]);
    expect((await server.ask(path("new"), { method: "PUT", body })).status).toBe(403);
    expect(server.troubles.join()).toContain("did not within 50 ms");
  });
});

describe("what Nx' client is ever answered", () => {
  it("is 200, 404 or 401 when it reads, and 200, 401, 403 or 409 when it writes, whatever it asks of whatever store", async () => {
    const seen = { GET: new Set<number>(), PUT: new Set<number>() };
    const states = ["sound", "broken", "damaged"] as const;
    const tokens = ["main", "reader", "pull-request", "unknown", undefined];
    const names = [key, "new", "x".repeat(129), "..%2Fx", "a.b", "%00", "%zz", "code"];
    const whole = nxArchive([{ path: "a", content: randomBytes(5000) }]);
    const bodies = [whole, whole.subarray(0, 3000), Buffer.alloc(0), randomBytes(200_000)];
    for (const state of states) {
      const store = breakableStore();
      const server = await startServer({
        access: { grants },
        wrapBlobs: store.wrapBlobs,
        maxArtifactBytes: 100_000,
      });
      await server.ask(path(), { method: "PUT", token: "main", body: whole });
      if (state === "damaged") damageBlobs(server);
      store.isBroken = state === "broken";
      for (const token of tokens)
        for (const name of names) {
          seen.GET.add((await server.ask(path(name), { token })).status);
          for (const body of bodies)
            seen.PUT.add((await server.ask(path(name), { method: "PUT", token, body })).status);
          const chunked = { method: "PUT", token, headers: { "transfer-encoding": "chunked" } };
          seen.PUT.add((await server.ask(path(name), chunked)).status);
        }
      await server.stop();
    }
    expect(seen).toEqual({ GET: new Set([200, 401, 404]), PUT: new Set([200, 401, 403, 409]) });
  });
});

describe("how long tasks took", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({ access: { grants } });
    for (const token of ["main", "pull-request"])
      await server.ask(path(), { method: "PUT", token, body: nxArchive() });
  });
  afterAll(() => server.stop());
  const note = (token: string, body: unknown) =>
    server.ask("/v1/durations", { method: "POST", token, body: JSON.stringify(body) });
  const durationOf = async (token: string): Promise<unknown> =>
    (await server.ask(path(), { token })).headers["x-artifact-duration"];

  it("is told by who stored them, once, and comes back with what he stored", async () => {
    expect(await durationOf("main")).toBeUndefined();
    expect(
      (await note("main", { [key]: 1234.4, missing: 1, "a.b": 2, [`${key}x`]: -1 })).status,
    ).toBe(204);
    expect((await note("main", { [key]: 9 })).status).toBe(204);
    expect(await durationOf("main")).toBe("1234");
    expect(await durationOf("pull-request")).toBeUndefined();
  });

  it("is noted in pieces, between which others get a turn", async () => {
    const store = countingStore();
    const own = await startServer({ wrapBlobs: store.wrapBlobs });
    try {
      const names = Array.from({ length: 150 }, (_, index) => `many-${index}`);
      for (const name of names) await own.ask(path(name), { method: "PUT", body: nxArchive() });
      store.atAStretch = 0;
      const body = JSON.stringify(Object.fromEntries(names.map((name) => [name, 5])));
      expect((await own.ask("/v1/durations", { method: "POST", body })).status).toBe(204);
      expect(store.atAStretch).toBeGreaterThan(10);
      expect(store.atAStretch).toBeLessThan(100);
    } finally {
      await own.stop();
    }
  });

  it("is nothing that anybody else may say", async () => {
    expect((await note("unknown", { [key]: 1 })).status).toBe(401);
    expect((await note("reader", { [key]: 1 })).status).toBe(403);
    expect(
      (await server.ask("/v1/durations", { method: "POST", token: "main", body: "[" })).status,
    ).toBe(400);
  });
});
