import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { cue, temporaryFolder } from "../e2e/sandbox.ts";
import { startServing } from "../e2e/serving.ts";
import { nxArchive } from "./nx-archive.ts";
import { isFull } from "./in-full.ts";
import { installedNx } from "./nx-install.mjs";
import {
  makeNxWorkspace,
  type NxRun,
  type NxWorkspace,
  type NxWorkspaceOptions,
} from "./nx-workspace.ts";

let modules = "";
beforeAll(async () => {
  modules = await installedNx(24);
}, 300_000);

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

const counted = { RUNS: { cuenvPassthrough: true } };
const tasks = {
  build: {
    command:
      'echo run >> "$RUNS/build"; mkdir -p dist; head -c 3000000 /dev/zero | tr "\\0" x > dist/large; echo built',
    inputs: ["src"],
    outputs: ["dist"],
  },
};

function make(more: Partial<NxWorkspaceOptions> = {}): NxWorkspace {
  const workspace = makeNxWorkspace({
    modules,
    files: {
      "packages/app/env.cue": cue({ name: "app", env: counted, tasks }),
      "packages/app/src/a": "1",
    },
    ...more,
  });
  ending.push(() => workspace.stop());
  return workspace;
}

/** The build must be green, whatever became of the cache. */
async function build(
  workspace: NxWorkspace,
  env: Readonly<Record<string, string>> = {},
): Promise<NxRun> {
  const run = await workspace.nx(["run", "app:build"], { env });
  expect(run.code, run.output).toBe(0);
  expect(run.output).toContain("built");
  expect(statSync(join(workspace.root, "packages/app/dist/large")).size).toBe(3_000_000);
  return run;
}

/** Every file of cuenv's store. */
function storedFiles(workspace: NxWorkspace, kind: "cas" | "ac"): string[] {
  return readdirSync(join(workspace.cacheDir, "v1", kind), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const damages: readonly (readonly [string, (file: string) => void])[] = [
  [
    "has another byte",
    (file) => {
      const bytes = readFileSync(file);
      bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 0xff, bytes.length >> 1);
      writeFileSync(file, bytes);
    },
  ],
  ["was cut", (file) => truncateSync(file, 10)],
  ["is gone", (file) => rmSync(file)],
];

describe("a fault of the store while Nx runs", () => {
  it.each(isFull ? damages : damages.slice(0, 1))(
    "is a miss, and green: a blob that %s",
    async (_, damage) => {
      const workspace = make();
      await build(workspace);
      await workspace.wipe();
      for (const file of storedFiles(workspace, "cas")) damage(file);
      await build(workspace);
      expect(workspace.cacheStatus()).toEqual({ "app:build": "cache-miss" });
      expect(workspace.runs()).toEqual({ build: 2 });
      await workspace.wipe();
      await build(workspace);
      expect(workspace.cacheStatus()).toEqual({ "app:build": "remote-cache-hit" });
    },
  );

  it.runIf(isFull)(
    "is green without a store: a folder that is none, and a server that does not start",
    async () => {
      const none = join(temporaryFolder(), "a-file");
      writeFileSync(none, "");
      const workspace = make({ cacheDir: none });
      const { stderr } = await build(workspace);
      expect(stderr).toMatch(/^cuenv: warning: Nx's cache is not shared in this run: /m);
      expect(stderr.match(/warning/g)).toHaveLength(1);
    },
  );

  it("is none of a proxy's, which is not asked for what is on this machine", async () => {
    const workspace = make();
    const env = {
      HTTP_PROXY: "http://127.0.0.1:9",
      NO_PROXY: "example.com",
      NODE_USE_ENV_PROXY: "1",
    };
    await build(workspace, env);
    await workspace.wipe();
    await build(workspace, env);
    expect(workspace.cacheStatus()).toEqual({ "app:build": "remote-cache-hit" });
  });

  it("is green when the server is killed under a run", async () => {
    const slow = { ...tasks.build, command: `${tasks.build.command}; sleep 3` };
    const workspace = make({
      files: {
        "packages/app/env.cue": cue({ name: "app", env: counted, tasks: { build: slow } }),
        "packages/app/src/a": "1",
      },
    });
    const running = build(workspace);
    const pid = await expect
      .poll(() => servers(workspace)[0], { timeout: 20_000 })
      .toBeDefined()
      .then(() => servers(workspace)[0] ?? 0);
    process.kill(pid, "SIGKILL");
    await running;
  });

  it("is green when another run of the same daemon ends before it", async () => {
    const go = join(temporaryFolder(), "go");
    const long = {
      command: `mkdir -p dist; echo long > dist/o; until [ -e ${go} ]; do sleep 0.1; done`,
      inputs: ["src"],
      outputs: ["dist"],
    };
    const short = { command: "true", inputs: ["src"], outputs: [] };
    const after = { ...short, dependencies: ["long"] };
    const workspace = make({
      daemon: true,
      files: {
        "packages/app/env.cue": cue({ name: "app", tasks: { long, short, after } }),
        "packages/app/src/a": "1",
      },
    });
    const running = workspace.nx(["run", "app:after"]);
    await expect.poll(() => servers(workspace).length, { timeout: 20_000 }).toBe(1);
    const other = await workspace.nx(["run", "app:short"]);
    expect(other.code, other.output).toBe(0);
    writeFileSync(go, "");
    const { code, output } = await running;
    expect(code, output).toBe(0);
    await workspace.wipe();
    expect((await workspace.nx(["run", "app:after"])).code).toBe(0);
    expect(workspace.cacheStatus()).toEqual({
      "app:long": "remote-cache-hit",
      "app:after": "remote-cache-hit",
    });
    await expect.poll(() => servers(workspace).length, { timeout: 20_000 }).toBe(0);
  });

  it("leaves no server behind when Nx is killed", async () => {
    const hanging = { ...tasks.build, command: "sleep 30" };
    const workspace = make({
      files: {
        "packages/app/env.cue": cue({ name: "app", env: counted, tasks: { build: hanging } }),
        "packages/app/src/a": "1",
      },
    });
    let nx = 0;
    const running = workspace.nx(["run", "app:build"], { onStart: (pid) => (nx = pid) });
    await expect.poll(() => servers(workspace).length, { timeout: 20_000 }).toBe(1);
    process.kill(nx, "SIGKILL");
    await running;
    await expect.poll(() => servers(workspace).length, { timeout: 20_000 }).toBe(0);
  });
});

describe("a fault of a server that is set", () => {
  it.runIf(isFull)("is green with a disk that takes nothing, through cuenv serve", async () => {
    const { url, dir, ...serving } = await startServing({ CUENV_SERVER_TOKEN: "t" });
    ending.push(() => serving.stop());
    const workspace = make();
    rmSync(dir, { recursive: true });
    writeFileSync(dir, "in the way");
    await build(workspace, {
      NX_SELF_HOSTED_REMOTE_CACHE_SERVER: url,
      NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: "t",
    });
    expect(workspace.cacheStatus()).toEqual({ "app:build": "cache-miss" });
  });
});

describe("a remote cache that cuenv has", () => {
  const remoteOf = (endpoint: string) => ({
    CUENV_REMOTE_CACHE_ENDPOINT: endpoint,
    CUENV_REMOTE_CACHE_AUTH_TOKEN: "shared",
  });

  it("has back what Nx made when Nx' cache and cuenv's are gone, and is a miss when it is gone itself", async () => {
    const { grpcUrl, ...serving } = await startServing({ CUENV_SERVER_TOKEN: "shared" });
    ending.push(() => serving.stop());
    const workspace = make();
    await build(workspace, remoteOf(grpcUrl));
    const forgetHere = async (): Promise<void> => {
      await workspace.wipe();
      rmSync(join(workspace.cacheDir, "v1"), { recursive: true });
    };
    await forgetHere();
    await build(workspace, remoteOf(grpcUrl));
    expect(workspace.cacheStatus()).toEqual({ "app:build": "remote-cache-hit" });
    expect(workspace.runs()).toEqual({ build: 1 });
    await forgetHere();
    const { output } = await build(workspace, remoteOf("grpc://127.0.0.1:1"));
    expect(workspace.cacheStatus()).toEqual({ "app:build": "cache-miss" });
    expect(output.match(/goes on without the remote cache/g)).toHaveLength(1);
  });
});

describe("a result that somebody else forged", () => {
  const forged = nxArchive({ "packages/app/dist/large": "forged" });
  const token = (name: string, more: Readonly<Record<string, unknown>>) => ({
    name,
    sha256: createHash("sha256").update(name).digest("hex"),
    scopes: ["read", "write"],
    ...more,
  });

  it("under the key that main will have, before main has it, is not seen by main", async () => {
    const { url, ...serving } = await startServing(
      {},
      {
        config: {
          tokens: [
            token("main", { namespaces: ["acme"] }),
            token("pr", { namespaces: ["acme-pr"], readsThrough: ["acme"] }),
          ],
        },
      },
    );
    ending.push(() => serving.stop());
    const workspace = make({ options: { remoteCache: false } });
    const server = (name: string) => ({
      NX_SELF_HOSTED_REMOTE_CACHE_SERVER: url,
      NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: name,
    });
    await build(workspace);
    const key = hashOf(workspace);
    const put = async (name: string): Promise<number> => {
      const authorization = `Bearer ${name}`;
      const body = new Uint8Array(forged);
      const answer = await fetch(`${url}/v1/cache/${key}`, {
        method: "PUT",
        headers: { authorization },
        body,
      });
      return answer.status;
    };
    expect(await put("pr")).toBe(200);
    expect(await put("nobody")).toBe(401);
    await workspace.wipe();
    await build(workspace, server("main"));
    expect(workspace.cacheStatus()).toEqual({ "app:build": "cache-miss" });
    expect(await put("main")).toBe(409);
    await workspace.wipe();
    await build(workspace, server("main"));
    expect(workspace.cacheStatus()).toEqual({ "app:build": "remote-cache-hit" });
    // It is there: whoever wrote it has it, and nobody else.
    await workspace.wipe();
    const { stdout } = await workspace.nx(["run", "app:build"], { env: server("pr") });
    expect(stdout).not.toContain("x".repeat(100));
    expect(workspace.read("packages/app/dist/large")).toBe("forged");
  });

  it("in the store itself, by who can write there and has no key, is a miss in the bridge", async () => {
    const workspace = make();
    await build(workspace, { NX_SKIP_REMOTE_CACHE: "true" });
    const key = hashOf(workspace);
    // A server over the same folder that signs nothing.
    const { url, ...serving } = await startServing({}, { dir: workspace.cacheDir });
    ending.push(() => serving.stop());
    const put = { method: "PUT", body: new Uint8Array(forged) };
    expect((await fetch(`${url}/v1/cache/${key}`, put)).status).toBe(200);
    expect((await fetch(`${url}/v1/cache/${key}`)).status).toBe(200);
    await workspace.wipe();
    await build(workspace);
    expect(workspace.cacheStatus()).toEqual({ "app:build": "cache-miss" });
    await workspace.wipe();
    await build(workspace);
    expect(workspace.cacheStatus()).toEqual({ "app:build": "remote-cache-hit" });
  });

  it.runIf(isFull)("cannot be put into a run's bridge by who has not its token", async () => {
    const statuses: number[] = [];
    const probe = {
      command: `node probe.mjs; echo built`,
      inputs: ["src"],
      outputs: [],
      cacheConfig: { envInclude: ["NX_SELF_HOSTED_REMOTE_CACHE_SERVER"] },
    };
    const script = `
      const url = process.env.NX_SELF_HOSTED_REMOTE_CACHE_SERVER + "/v1/cache/1";
      for (const method of ["GET", "PUT"]) {
        const body = method === "PUT" ? "x" : undefined;
        const { status } = await fetch(url, { method, body, headers: { authorization: "Bearer guess" } });
        console.log("status " + status);
      }`;
    const workspace = make({
      files: {
        "packages/app/env.cue": cue({ name: "app", tasks: { probe } }),
        "packages/app/probe.mjs": script,
        "packages/app/src/a": "1",
      },
    });
    const { output, code } = await workspace.nx(["run", "app:probe"]);
    expect(code, output).toBe(0);
    for (const [, status] of output.matchAll(/^status (\d+)$/gm)) statuses.push(Number(status));
    expect(statuses).toEqual([401, 401]);
  });
});

describe("somebody else's remote cache", () => {
  it.runIf(isFull)("stays in place, with a word", async () => {
    const workspace = make({ nxJson: { neverConnectToCloud: false } });
    const { stderr } = await build(workspace, {
      NX_CLOUD_ACCESS_TOKEN: "x",
      NX_SKIP_REMOTE_CACHE: "true",
    });
    expect(stderr).toContain("cuenv: Nx's cache is not shared through cuenv: Nx Cloud is set up");
  });

  it.runIf(isFull)("that is off is off: nothing is started, and nothing is kept", async () => {
    for (const [env, options] of [
      [{ CUENV_CACHE: "off" }, {}],
      [{ CUENV_CACHE_ENABLED: "false" }, {}],
      [{}, { remoteCache: false }],
    ] as const) {
      const workspace = make({ options });
      const { output } = await build(workspace, env);
      expect(output).not.toMatch(/shared cache|not shared/);
      expect(() => storedFiles(workspace, "ac")).toThrow("ENOENT");
    }
  });

  it.runIf(isFull)("is read and not written with CUENV_CACHE=read", async () => {
    const target = { command: "echo built by Nx", cache: true, outputs: [] };
    const workspace = make({
      files: { "packages/app/project.json": JSON.stringify({ name: "app", targets: { target } }) },
    });
    const env = { CUENV_CACHE: "read" };
    const { output, code } = await workspace.nx(["run", "app:target"], { env });
    expect(code, output).toBe(0);
    expect(output).toContain("shared cache: 0 hits, 1 miss, 0 stored");
  });
});

/** The process ids of the servers that were started over this workspace's store. */
function servers({ cacheDir }: NxWorkspace): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const isOurs =
        readFileSync(`/proc/${name}/cmdline`, "utf8").includes("\0serve\0") &&
        readFileSync(`/proc/${name}/environ`, "utf8").includes(`CUENV_CACHE_DIR=${cacheDir}\0`);
      return isOurs ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Nx' hash of the build, as the record of runs has it. */
function hashOf(workspace: NxWorkspace): string {
  const text = readFileSync(join(workspace.root, "../nx-data/cuenv-runs-v1.json"), "utf8");
  const { tasks: recorded } = JSON.parse(text) as {
    tasks: Record<string, { runs: { hash: string }[] }>;
  };
  return recorded["app:build"]?.runs[0]?.hash ?? "";
}
