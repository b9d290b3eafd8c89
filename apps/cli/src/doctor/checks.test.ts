import { createAccessPolicy, createCacheServer, hashToken } from "@cuenv/server";
import { createReapiServer } from "@cuenv/server/grpc";
import { createServer } from "node:net";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CacheSettings, defaultCacheSettings, otherCacheVariables } from "@cuenv/config";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Check } from "./check.ts";
import { checkCacheFolder } from "./check-cache-folder.ts";
import { checkEnvironment } from "./check-environment.ts";
import { checkMachine, thisMachine } from "./check-machine.ts";
import { checkRemote } from "./check-remote.ts";
import { doctorText } from "./doctor-text.ts";
import { fileSystemKind } from "./file-system-name.ts";
import { type FileSystemTraits, probeFileSystem } from "./probe-file-system.ts";

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const settings = (cacheDir: string, more: Partial<CacheSettings> = {}): CacheSettings => ({
  ...defaultCacheSettings,
  cacheDir,
  ...more,
});

const soundTraits: FileSystemTraits = {
  replacesByRename: true,
  makesOnce: true,
  keepsExecBit: true,
  hasSymlinks: true,
  isCaseSensitive: true,
  keepsNameForms: true,
  mtimeGrainMs: 0.001,
  hasReflinks: false,
  clockAheadMs: 0,
};

function of(checks: readonly Check[], name: string): Check | undefined {
  return checks.find((check) => check.name === name);
}

function withTraits(traits: Partial<FileSystemTraits>): readonly Check[] {
  const probe = (): FileSystemTraits => ({ ...soundTraits, ...traits });
  return checkCacheFolder(settings(join(makeFolder(), "cache")), undefined, probe);
}

describe("the machine", () => {
  it("is broken with a Node that is too old, and all right with this one", () => {
    const [old] = checkMachine({ ...thisMachine(), nodeVersion: "22.17.1" });
    expect(old).toMatchObject({
      status: "broken",
      advice: expect.stringMatching(/22\.18/) as string,
    });
    for (const nodeVersion of ["22.18.0", "24.0.0", process.versions.node])
      expect(checkMachine({ ...thisMachine(), nodeVersion })[0]?.status).toBe("ok");
  });

  it("is noted when a process may have few files open", () => {
    expect(of(checkMachine({ ...thisMachine(), maxOpenFiles: 64 }), "open files")?.status).toBe(
      "note",
    );
    expect(checkMachine({ ...thisMachine(), maxOpenFiles: 1024 })).toHaveLength(1);
    expect(checkMachine({ ...thisMachine(), maxOpenFiles: undefined })).toHaveLength(1);
  });
});

describe("the file system", () => {
  it("is tried, and nothing is left of it", () => {
    const folder = makeFolder();
    const traits = probeFileSystem(folder);
    expect(traits).toMatchObject({ replacesByRename: true, makesOnce: true, keepsExecBit: true });
    expect(Math.abs(traits.clockAheadMs)).toBeLessThan(1000);
    expect(traits.mtimeGrainMs).toBeLessThan(1000);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is told to be ahead or behind by what its clock is", () => {
    const folder = makeFolder();
    const hour = 60 * 60 * 1000;
    expect(probeFileSystem(folder, () => Date.now() - hour).clockAheadMs).toBeGreaterThan(
      hour - 5000,
    );
    expect(probeFileSystem(folder, () => Date.now() + hour).clockAheadMs).toBeLessThan(5000 - hour);
  });

  it("is broken when it would damage the cache, noted when it lacks something", () => {
    expect(of(withTraits({}), "file system")?.status).toBe("ok");
    for (const lack of [{ replacesByRename: false }, { makesOnce: false }])
      expect(of(withTraits(lack), "file system")?.status).toBe("broken");
    for (const lack of [{ keepsExecBit: false }, { hasSymlinks: false }, { mtimeGrainMs: 2000 }])
      expect(of(withTraits(lack), "file system")?.status).toBe("note");
  });

  it("is named by its number, and known to be remote or in memory", () => {
    expect(fileSystemKind(0xef53)).toMatchObject({ name: "ext4", isRemote: false });
    expect(fileSystemKind(0x6969)).toMatchObject({ name: "nfs", isRemote: true });
    expect(fileSystemKind(0x01021994)).toMatchObject({ name: "tmpfs", isInMemory: true });
    expect(fileSystemKind(1)).toEqual({ name: undefined, isRemote: false, isInMemory: false });
  });
});

describe("the clock", () => {
  it.each([
    [0, "ok"],
    [900, "ok"],
    [-5_000, "note"],
    [59_000, "note"],
    [-3_600_000, "broken"],
  ])("is with a skew of %i ms: %s", (clockAheadMs, status) => {
    expect(of(withTraits({ clockAheadMs }), "clock")?.status).toBe(status);
  });
});

describe("the cache folder", () => {
  it("is told with its owner and mode, or that it is not there yet", () => {
    const folder = makeFolder();
    chmodSync(folder, 0o700);
    expect(of(checkCacheFolder(settings(folder), undefined), "cache folder")).toMatchObject({
      status: "ok",
      message: expect.stringMatching(/mode 700/) as string,
    });
    const none = checkCacheFolder(settings(join(folder, "a/b")), undefined);
    expect(of(none, "cache folder")).toMatchObject({ status: "note" });
    expect(of(none, "file system")?.status).toBe("ok");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is broken when it holds what others could have put there, or is a file", () => {
    const folder = makeFolder();
    mkdirSync(join(folder, "v1"), { mode: 0o777 });
    chmodSync(join(folder, "v1"), 0o777);
    const [exposed, ...more] = checkCacheFolder(settings(folder), undefined);
    expect(exposed).toMatchObject({ status: "broken", advice: expect.any(String) as string });
    expect(more).toEqual([]);
    writeFileSync(join(folder, "file"), "");
    expect(checkCacheFolder(settings(join(folder, "file")), undefined)[0]?.status).toBe("broken");
  });

  it("is broken when it cannot be written to, with what that means", () => {
    const probe = (): never => {
      throw new Error("EROFS: read-only file system");
    };
    const folder = makeFolder();
    const there = checkCacheFolder(settings(folder), undefined, probe).at(-1);
    expect(there).toMatchObject({
      status: "broken",
      message: expect.stringMatching(/none is stored/) as string,
    });
    const none = checkCacheFolder(settings(join(folder, "x")), undefined, probe).at(-1);
    expect(none?.message).toMatch(/cannot make .*EROFS/);
  });

  it("is not looked at where the cache is off", () => {
    for (const off of [{ enabled: false }, { defaultMode: "off" }] as const)
      expect(checkCacheFolder(settings("/nowhere", off), undefined)).toMatchObject([
        { status: "note" },
      ]);
  });

  it("is noted to have set something apart", () => {
    const folder = makeFolder();
    mkdirSync(join(folder, "v1/quarantine"), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, "v1/quarantine/1"), "");
    expect(of(checkCacheFolder(settings(folder), undefined), "quarantine")).toMatchObject({
      status: "note",
      message: expect.stringMatching(/^1 stored file was/) as string,
    });
  });
});

describe("the environment", () => {
  it("is noted for variables that nobody reads and that are near one that is read", () => {
    const env = {
      CUENV_CACHE_DIRR: "x",
      CUENV_CACHE_DIR: "y",
      CUENV_TRSUT: "z",
      CUENV_UNRELATED_THING: "1",
      PATH: "/",
    };
    expect(checkEnvironment(env).map(({ message }) => message)).toEqual([
      "nothing reads the variable CUENV_CACHE_DIRR",
      "nothing reads the variable CUENV_TRSUT",
    ]);
  });

  it("is not noted for variables that a run reads", () => {
    expect(otherCacheVariables).toContain("CUENV_CACHE_STATS");
    const env = Object.fromEntries(otherCacheVariables.map((name) => [name, "1"]));
    expect(checkEnvironment(env)).toEqual([]);
    expect(checkEnvironment({ CUENV_SERVER_TOKEN: "x", CUENV_TASK_DEFINITION: "y" })).toEqual([]);
  });
});

describe("the remote cache", () => {
  const settingsOf = (remoteEndpoint: string | undefined, timeoutSeconds = 30) => ({
    ...defaultCacheSettings,
    cacheDir: "/nowhere",
    remoteEndpoint,
    remoteTimeoutSeconds: timeoutSeconds,
  });

  it("is well when none is configured", async () => {
    expect(await checkRemote(settingsOf(undefined))).toMatchObject({
      status: "ok",
      message: "none is configured",
    });
  });

  it("is well when it answers as one, and noted when it takes nothing from us, or gives us nothing", async () => {
    const token = {
      name: "t",
      sha256: hashToken("reader"),
      namespaces: "*",
      scopes: ["read"],
    } as const;
    const everything = {
      ...token,
      sha256: hashToken("writer"),
      scopes: ["read", "write"],
    } as const;
    const sender = { ...token, sha256: hashToken("sender"), scopes: ["write"] } as const;
    const folder = makeFolder();
    const server = createCacheServer({
      root: join(folder, "cache"),
      digestFunction: "sha256",
      durability: "relaxed",
      limits: { maxBytes: undefined, maxAgeMs: undefined },
      evictionPolicy: "LRU",
      policy: createAccessPolicy({ grants: [token, everything, sender] }),
      createGrpc: createReapiServer,
      onRequest: undefined,
      onTrouble: undefined,
    });
    onTestFinished(() => server.close());
    const { port = 0 } = (await server.grpc?.listen({ host: "127.0.0.1", port: 0 })) ?? {};
    const check = (remoteAuthToken: string, more: Partial<CacheSettings> = {}) =>
      checkRemote({ ...settingsOf(`grpc://127.0.0.1:${port}`), remoteAuthToken, ...more });
    expect(await check("writer")).toMatchObject({
      status: "ok",
      message: expect.stringMatching(
        / answers, in \d+ ms; results are fetched and sent$/,
      ) as string,
    });
    expect(await check("reader")).toMatchObject({
      status: "note",
      message: expect.stringMatching(/takes nothing from us$/) as string,
    });
    expect(await check("sender")).toMatchObject({
      status: "note",
      message: expect.stringMatching(/gives us nothing$/) as string,
      advice: expect.stringContaining("downloadEnabled: false") as string,
    });
    expect(await check("sender", { remoteDownloadEnabled: false })).toMatchObject({
      status: "ok",
      message: expect.stringMatching(/results are sent$/) as string,
    });
    expect(await check("reader", { remoteDownloadEnabled: false })).toMatchObject({
      status: "broken",
      message: expect.stringContaining("refuses us all that these settings want") as string,
    });
    const refused = await check("nobody's");
    expect(refused).toMatchObject({ status: "broken" });
    expect(refused.message).toContain("UNAUTHENTICATED");
    expect(refused.message).not.toContain("nobody's");
  });

  it("is broken when nobody listens, when who listens is no such cache, and when it is no address", async () => {
    const other = createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await new Promise<void>((resolve) => void other.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    for (const endpoint of [
      "grpc://127.0.0.1:1",
      `grpc://127.0.0.1:${port}`,
      "grpcs://user:secret@127.0.0.1:1",
      "nonsense",
    ]) {
      const check = await checkRemote(settingsOf(endpoint, 1));
      expect(check, endpoint).toMatchObject({
        status: "broken",
        advice: expect.any(String) as string,
      });
      expect(check.message).not.toMatch(/secret/);
    }
    const started = performance.now();
    // Documentation addresses (RFC 5737) lead nowhere; some networks say so at once.
    expect((await checkRemote(settingsOf("grpc://192.0.2.1:9", 1))).status).toBe("broken");
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe("what people read", () => {
  it("is folded to the width, with what to do below it and a count at the end", () => {
    const checks: readonly Check[] = [
      { name: "a", status: "ok", message: "fine", advice: undefined },
      {
        name: "long name",
        status: "broken",
        message: "word ".repeat(30).trim(),
        advice: "do ".repeat(30).trim(),
      },
      { name: "n", status: "note", message: "so", advice: undefined },
    ];
    const text = doctorText(checks, (_, part) => part, 60);
    expect(text.split("\n").filter((line) => line.length > 60)).toEqual([]);
    expect(text).toMatch(/→ do do/);
    expect(text).toMatch(/1 thing is broken\. 1 note\.\n$/);
    expect(doctorText(checks.slice(0, 1), (_, part) => part, 60)).toMatch(/All is well\.\n$/);
  });
});
