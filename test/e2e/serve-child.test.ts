import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nxArchive } from "../nx/nx-archive.ts";
import { isAlive } from "./is-alive.ts";
import { launcher, temporaryFolder } from "./sandbox.ts";

interface Place {
  readonly dir?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function spawnServe(flags: readonly string[], place: Place = {}) {
  const { dir = temporaryFolder(), cwd = temporaryFolder(), env } = place;
  const args = [launcher, "serve", "--http", "0", "--json", "--while-stdin", ...flags];
  return spawn(process.execPath, [...args, "--dir", dir], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: temporaryFolder(), ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** `cuenv serve` as a child of somebody, its stdin held open. */
async function serveAsChild(flags: readonly string[] = [], place: Place = {}) {
  const child = spawnServe(flags, place);
  const stderr: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const line = await new Promise<string>((resolve) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
  });
  const { url } = JSON.parse(line) as { url: string };
  return { child, url, stderr: () => Buffer.concat(stderr).toString() };
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("close", resolve));
}

/** `cuenv serve` that does not come up, though its stdin is held open: its exit code, and what it says. */
async function refusal(flags: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const args = [launcher, "serve", "--http", "0", ...flags, "--dir", temporaryFolder()];
  const child = spawn(process.execPath, args, {
    cwd: temporaryFolder(),
    env: { PATH: process.env["PATH"], HOME: temporaryFolder() },
    stdio: ["pipe", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return { code: await ended(child), stderr };
}

describe("cuenv serve as a child", () => {
  it("ends, quietly, when its stdin does", async () => {
    const { child, url, stderr } = await serveAsChild();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    child.stdin?.end();
    expect(await ended(child)).toBe(0);
    expect(stderr()).toBe("");
  });

  it("ends when whoever started it is killed", async () => {
    const args = JSON.stringify([
      launcher,
      "serve",
      "--http",
      "0",
      "--json",
      "--while-stdin",
      "--dir",
      temporaryFolder(),
    ]);
    // Its stdin is a pipe from the parent, which says its number and then stays.
    const script = `
      const { spawn } = require("node:child_process");
      const child = spawn(process.execPath, ${args}, { stdio: ["pipe", "pipe", "inherit"] });
      child.stdout.once("data", () => console.log(child.pid));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ["-e", script], {
      cwd: temporaryFolder(),
      env: { PATH: process.env["PATH"], HOME: temporaryFolder() },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = Number(
      await new Promise<string>((resolve) => {
        parent.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
      }),
    );
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
  });

  it("stores nothing with --read-only", async () => {
    const { child, url } = await serveAsChild(["--read-only"]);
    const put = await fetch(`${url}/v1/cache/123`, { method: "PUT", body: "x" });
    expect(put.status).toBe(403);
    expect((await fetch(`${url}/v1/cache/123`)).status).toBe(404);
    child.stdin?.end();
    expect(await ended(child)).toBe(0);
  });

  it("only reads, or only stores, with --in-cache-mode where the configuration says so", async () => {
    const dir = temporaryFolder();
    const put = async (url: string): Promise<number> => {
      const body = new Uint8Array(nxArchive({}));
      return (await fetch(`${url}/v1/cache/123`, { method: "PUT", body })).status;
    };
    const get = async (url: string): Promise<number> => (await fetch(`${url}/v1/cache/123`)).status;
    const serving = async (mode: string, flags = ["--in-cache-mode"]) => {
      const { child, url } = await serveAsChild(flags, { dir, env: { CUENV_CACHE: mode } });
      const statuses = [await put(url), await get(url)];
      child.stdin.end();
      await ended(child);
      return statuses;
    };
    expect(await serving("read")).toEqual([403, 404]);
    expect(await serving("Write")).toEqual([200, 404]);
    expect(await serving("read")).toEqual([403, 200]);
    // A server for others does not do as its owner's tasks do.
    expect(await serving("read", [])).toEqual([409, 200]);
  });

  const off: readonly (Place & { what: string; settings?: string; flags?: readonly string[] })[] = [
    { what: "CUENV_CACHE_ENABLED=false", env: { CUENV_CACHE_ENABLED: "false" } },
    { what: "defaultMode in a file", settings: "defaultMode: off\n" },
    { what: "a mode that leaves nothing", env: { CUENV_CACHE: "write" }, flags: ["--read-only"] },
  ];
  it.each(off)("ends at once with --in-cache-mode and $what", async (each) => {
    const { settings, flags = [], env = {} } = each;
    const [cwd, dir] = [temporaryFolder(), join(temporaryFolder(), "none")];
    if (settings !== undefined) writeFileSync(join(cwd, "cuenv.cache.yaml"), settings);
    const child = spawnServe(["--in-cache-mode", ...flags], { env, cwd, dir });
    let printed = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    expect([await ended(child), printed]).toEqual([0, ""]);
    expect(existsSync(dir)).toBe(false);
  });
});

it.each([
  [
    "50",
    "it has no unit, and would be 50 bytes",
    "write 50GiB (powers of 1024), or 50GB (of 1000)",
  ],
  ["much", "it is not a size like 50GiB", "write a number with KiB, MiB, GiB or TiB"],
  ["10%", "it is not a size like 50GiB", "write a number with KiB, MiB, GiB or TiB"],
  ["100G", "it is not a size like 50GiB", "write 100GiB (powers of 1024), or 100GB (of 1000)"],
  ["1023KiB", "it is less than 1MiB", "such as 50GiB"],
])("cuenv serve takes no limit like %s", async (size, problem, hint) => {
  const { code, stderr } = await refusal(["--max-size", size]);
  expect(code).toBe(2);
  expect(stderr).toContain(`cannot use --max-size ${size}: ${problem}`);
  expect(stderr).toContain(hint);
});

describe("cuenv serve where it cannot listen", () => {
  it.each(["--http", "--grpc"])("ends at once, whoever holds its stdin: %s", async (flag) => {
    const other = createServer();
    await new Promise<void>((done) => void other.listen(0, "127.0.0.1", done));
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await refusal(["--while-stdin", flag, String(port)]);
    expect(code).toBe(70);
    expect(stderr).toContain(`127.0.0.1:${port}: another program listens there`);
    other.close();
  });
});
