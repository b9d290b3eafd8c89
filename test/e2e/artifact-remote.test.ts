import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startChaosProxy } from "../../tools/chaos-proxy.mjs";
import { launcher, temporaryFolder } from "./sandbox.ts";
import { type Serving, type ServingOptions, startServing } from "./serving.ts";
import { runProgram } from "./turbo-workspace.ts";

const artifact = "/v8/artifacts/c13082a5f3e03b6b?slug=acme";
/** Nothing in it can be compressed. */
const archive = randomBytes(200_000);
/** One user's machines share a signing key. */
const home = temporaryFolder();

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

let remote: Serving;
beforeEach(async () => {
  remote = await startServing({ CUENV_SERVER_TOKEN: "of-the-remote" });
  ending.push(() => remote.stop());
});

async function serve(
  env: Readonly<Record<string, string>> = {},
  { flags = [], ...more }: ServingOptions = {},
): Promise<Serving> {
  const serving = await startServing(
    {
      HOME: home,
      CUENV_REMOTE_CACHE_ENDPOINT: remote.grpcUrl,
      CUENV_REMOTE_CACHE_AUTH_TOKEN: "of-the-remote",
      ...env,
    },
    { ...more, flags: ["--remote", "--grpc", "off", ...flags] },
  );
  ending.push(() => serving.stop());
  return serving;
}

const headers = { authorization: "Bearer any" };

async function put({ url }: Serving, path = artifact, body = archive): Promise<number> {
  const { status } = await fetch(url + path, {
    method: "PUT",
    headers: { ...headers, "x-artifact-duration": "1200" },
    body,
  });
  return status;
}

async function get({ url }: Serving, path = artifact) {
  const response = await fetch(url + path, { headers });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, body, duration: response.headers.get("x-artifact-duration") };
}

/** Whatever a server still had to send is sent when it has ended. */
async function stored(env: Readonly<Record<string, string>> = {}, flags: readonly string[] = []) {
  const first = await serve(env, { flags });
  expect(await put(first)).toBe(202);
  expect(first.said()).not.toContain("warning");
  await first.stop();
}

/** As `turbo run --dry` asks. */
async function query({ url }: Serving): Promise<unknown> {
  const hash = "c13082a5f3e03b6b";
  const body = JSON.stringify({ hashes: [hash] });
  const address = `${url}/v8/artifacts?slug=acme`;
  const response = await fetch(address, { method: "POST", headers, body });
  return ((await response.json()) as Record<string, unknown>)[hash];
}

function blobsIn(dir: string): readonly string[] {
  const cas = join(dir, "v1/cas");
  const files = existsSync(cas) ? readdirSync(cas, { recursive: true }).map(String) : [];
  return files.filter((file) => /[0-9a-f]{60}/.test(file));
}

const whole = { status: 200, body: archive, duration: "1200" };

describe("cuenv serve --remote", () => {
  it("gives what another server stored, with its headers, and has it itself from then on", async () => {
    await stored();
    const dir = join(temporaryFolder(), "cache");
    const second = await serve({}, { dir });
    expect(await get(second)).toEqual(whole);
    expect(await get(second, "/v8/artifacts/c13082a5f3e03b6b?slug=others")).toMatchObject({
      status: 404,
    });
    await second.stop();
    const alone = await serve({ CUENV_REMOTE_CACHE_ENDPOINT: "grpc://127.0.0.1:1" }, { dir });
    expect(await get(alone)).toEqual(whole);
  });

  it("says what is there, and how large, without fetching it", async () => {
    await stored();
    const dir = join(temporaryFolder(), "cache");
    const second = await serve({}, { dir });
    expect(await query(second)).toEqual({ size: archive.length, taskDurationMs: 1200 });
    const head = await fetch(second.url + artifact, { method: "HEAD", headers });
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe(String(archive.length));
    expect(blobsIn(dir)).toEqual([]);
    expect(await get(second)).toEqual(whole);
    expect(blobsIn(dir)).toHaveLength(1);
    expect(await query(second)).toEqual({ size: archive.length, taskDurationMs: 1200 });
  });

  it("says nothing of what it could not give: of an entry whose bytes the remote cache forgot", async () => {
    await stored();
    for (const blob of blobsIn(remote.dir)) {
      const file = join(remote.dir, "v1/cas", blob);
      if (statSync(file).size === archive.length) rmSync(file);
    }
    // It believes for a moment what it found before.
    await remote.stop();
    remote = await startServing({ CUENV_SERVER_TOKEN: "of-the-remote" }, { dir: remote.dir });
    ending.push(() => remote.stop());
    const second = await serve();
    expect(await query(second)).toBeNull();
    expect((await get(second)).status).toBe(404);
  });

  it("takes away there what a client takes away", async () => {
    const name = "/ccache/ab/cdef0123456789abcdef0123456789abcdef01";
    const first = await serve();
    expect(await put(first, name)).toBeLessThan(300);
    await first.stop();
    const second = await serve();
    expect((await get(second, name)).status).toBe(200);
    const { status } = await fetch(second.url + name, { method: "DELETE", headers });
    expect(status).toBeLessThan(300);
    expect((await get(second, name)).status).toBe(404);
    await second.stop();
    expect((await get(await serve(), name)).status).toBe(404);
  });

  it("keeps nothing when it is read-only, and serves what is there all the same", async () => {
    await stored();
    const dir = join(temporaryFolder(), "cache");
    const second = await serve({}, { dir, flags: ["--read-only"] });
    expect(await get(second)).toEqual(whole);
    expect(await get(second)).toEqual(whole);
    expect(await put(second)).toBe(403);
    await second.stop();
    const files = existsSync(join(dir, "v1"))
      ? readdirSync(join(dir, "v1"), { recursive: true }).map(String)
      : [];
    expect(files.filter((file) => /^(?:cas|ac)\/.*[0-9a-f]{60}/.test(file))).toEqual([]);
  });

  it("T4: takes what somebody signed who is not trusted for a miss, and says so once", async () => {
    await stored({ HOME: temporaryFolder() }, ["--sign"]);
    const second = await serve({}, { flags: ["--sign"] });
    for (const _ of [1, 2]) expect((await get(second)).status).toBe(404);
    expect(second.said().match(/warning/g)).toHaveLength(1);
    expect(second.said()).toMatch(
      /warning: artifacts of the remote cache are not used, c13082a5f3e03b6b for one: the key ed25519-/,
    );
    const metrics = await (await fetch(`${second.url}/metrics`, { headers })).text();
    expect(metrics).toMatch(
      /cuenv_server_artifacts_refused_total\{[^}]*origin="remote"[^}]*reason="unknownKey"[^}]*\} 2/,
    );
    // What came in here is theirs, too.
    expect(await put(second)).toBe(202);
    expect(await get(second)).toEqual(whole);
  });

  it.each([
    ["refuses every connection", { reset: true }],
    ["gives other bytes", { flipAtByte: 60_000 }],
    ["cuts an answer", { cutAfterBytes: 60_000 }],
    ["sends so slowly that nobody waits for it", { dripBytesPerSecond: 5_000 }],
  ] as const)("is a miss, with a warning, where the remote cache %s", async (_, faults) => {
    await stored();
    const { hostname: host, port } = new URL(remote.grpcUrl.replace("grpc:", "http:"));
    const proxy = await startChaosProxy({ host, port: Number(port) });
    ending.push(() => proxy.close());
    proxy.faults = faults;
    const endpoint = `grpc://127.0.0.1:${proxy.port}`;
    const second = await serve({
      CUENV_REMOTE_CACHE_ENDPOINT: endpoint,
      CUENV_REMOTE_CACHE_TIMEOUT: "2",
    });
    expect((await get(second)).status).toBe(404);
    expect(await put(second)).toBe(202);
    expect(await get(second)).toEqual(whole);
    await second.stop();
    expect(second.said()).toMatch(/warning: the build goes on without the remote cache/);
  });

  it("says what to do where no remote cache is configured", async () => {
    const argv = [process.execPath, launcher, "serve", "--remote", "--http", "0"];
    const env = { PATH: process.env["PATH"] ?? "", HOME: home };
    const { code, output } = await runProgram(argv, { cwd: temporaryFolder(), env });
    expect(code).toBe(2);
    expect(output).toContain("CUENV_REMOTE_CACHE_ENDPOINT");
  });
});
