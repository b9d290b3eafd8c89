import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { launcher, temporaryFolder } from "./sandbox.ts";
import { type Serving, startServing } from "./serving.ts";
import {
  makeTurboWorkspace,
  runProgram,
  turboProgram,
  type TurboVersion,
  turboVersions,
  type TurboWorkspace,
  type TurboWorkspaceOptions,
} from "./turbo-workspace.ts";

const once = { core: 1, lib: 1, app: 1 };
const signatureKey = "a signature key of more than thirty-two bytes";
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(env: Readonly<Record<string, string>> = {}): Promise<Serving> {
  const serving = await startServing(env);
  stops.push(() => serving.stop());
  return serving;
}

/** In kB; 0 where the system does not say it in this way. */
function peakMemory(pid: number): number {
  if (process.platform !== "linux") return 0;
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

async function build(
  workspace: TurboWorkspace,
  version: TurboVersion,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const argv = [turboProgram(version), "run", "build", "--output-logs=full"];
  const { code, output } = await runProgram(argv, { cwd: workspace.root, env: workspace.env(env) });
  expect(code, output).toBe(0);
  expect(output).not.toMatch(/warning/i);
  return output;
}

describe.each(Object.keys(turboVersions) as TurboVersion[])(
  "turbo %s and cuenv serve",
  (version) => {
    it.each([
      ["unsigned", {}],
      ["signed", { TURBO_REMOTE_CACHE_SIGNATURE_KEY: signatureKey }],
    ])("%s: what was built once is restored in full elsewhere", async (kind, signing) => {
      const workspace = makeTurboWorkspace({ signature: kind === "signed" });
      const { url } = await serve({ CUENV_SERVER_TOKEN: "the-token" });
      const env = { TURBO_API: url, TURBO_TOKEN: "the-token", TURBO_TEAM: "acme", ...signing };
      await build(workspace, version, env);
      expect(workspace.runs()).toEqual(once);
      const built = workspace.outputs();
      expect(Object.keys(built)).toHaveLength(21);
      workspace.wipe();
      const again = await build(workspace, version, env);
      expect(again).toContain("FULL TURBO");
      expect(again).toContain("building app");
      expect(workspace.runs()).toEqual(once);
      expect(workspace.outputs()).toEqual(built);
    });
  },
);

describe("cuenv serve with turbo", () => {
  it("takes and gives an output of 200 MB, signed, and needs no more memory for it", async () => {
    const workspace = makeTurboWorkspace({ signature: true, largeBytes: 200_000_000 });
    const { url, pid } = await serve();
    const env = {
      TURBO_API: url,
      TURBO_TOKEN: "any",
      TURBO_TEAMID: "team_acme",
      TURBO_REMOTE_CACHE_SIGNATURE_KEY: signatureKey,
    };
    await build(workspace, "2.11.11", env);
    const built = workspace.outputs();
    expect(Object.keys(built)).toContain("core/large.bin");
    workspace.wipe();
    expect(await build(workspace, "2.11.11", env)).toContain("FULL TURBO");
    expect(workspace.outputs()).toEqual(built);
    expect(peakMemory(pid)).toBeLessThan(200_000);
  });

  it("gives a client with another signature key misses, and takes its results", async () => {
    const workspace = makeTurboWorkspace({ signature: true });
    const { url } = await serve();
    const env = (key: string) => ({
      TURBO_API: url,
      TURBO_TOKEN: "any",
      TURBO_TEAMID: "team_acme",
      TURBO_REMOTE_CACHE_SIGNATURE_KEY: key,
    });
    await build(workspace, "2.11.11", env(signatureKey));
    workspace.wipe();
    await build(workspace, "2.11.11", env(`another one: ${signatureKey}`));
    expect(workspace.runs()).toEqual({ core: 2, lib: 2, app: 2 });
  });

  it("tells a client without a token once, and does not stand in the way of its build", async () => {
    const workspace = makeTurboWorkspace();
    const { url } = await serve({ CUENV_SERVER_TOKEN: "the-token" });
    const argv = [turboProgram("2.11.11"), "run", "build"];
    const env = workspace.env({ TURBO_API: url, TURBO_TOKEN: "wrong", TURBO_TEAM: "acme" });
    const { code, output } = await runProgram(argv, { cwd: workspace.root, env });
    expect(code).toBe(0);
    expect(output).toContain("Authentication failed");
    // Its banner, and one line for all artifacts together.
    expect(output.split("\n").filter((line) => line.includes("WARNING"))).toHaveLength(2);
  });
});

describe("cuenv turbo", () => {
  /** turbo where a project has it. */
  function installed(options: TurboWorkspaceOptions = {}): TurboWorkspace {
    const workspace = makeTurboWorkspace(options);
    mkdirSync(join(workspace.root, "node_modules", ".bin"), { recursive: true });
    symlinkSync(turboProgram("2.11.11"), join(workspace.root, "node_modules", ".bin", "turbo"));
    return workspace;
  }
  /** Of one user, unless told otherwise. */
  const home = temporaryFolder();
  const run = (workspace: TurboWorkspace, cacheDir: string, args: readonly string[], env = {}) =>
    runProgram([process.execPath, launcher, "turbo", ...args], {
      cwd: workspace.root,
      env: workspace.env({ CUENV_CACHE_DIR: cacheDir, HOME: home, ...env }),
    });

  it("shares results between checkouts, and passes arguments and exit codes through", async () => {
    const cacheDir = join(temporaryFolder(), "cache");
    const first = installed();
    const ran = await run(first, cacheDir, ["run", "build", "--output-logs=hash-only"]);
    expect(ran, ran.output).toMatchObject({ code: 0 });
    expect(first.runs()).toEqual(once);
    const second = installed();
    const again = await run(second, cacheDir, ["run", "build", "--output-logs=hash-only"]);
    expect(again.output).toContain("FULL TURBO");
    expect(second.runs()).toEqual({});
    expect(second.outputs()).toEqual(first.outputs());
    expect((await run(second, cacheDir, ["run", "no-such-task"])).code).not.toBe(0);
    expect((await run(second, cacheDir, ["--version"])).output).toContain("2.11.11");
  });

  it("has the configured remote cache behind it, and writes nothing of it here in mode read", async () => {
    const remote = await startServing({ CUENV_SERVER_TOKEN: "shared" });
    stops.push(() => remote.stop());
    const env = {
      CUENV_REMOTE_CACHE_ENDPOINT: remote.grpcUrl,
      CUENV_REMOTE_CACHE_AUTH_TOKEN: "shared",
    };
    const first = installed();
    await run(first, join(temporaryFolder(), "cache"), ["run", "build"], env);
    for (const mode of ["read", "read-write"]) {
      const workspace = installed();
      const cacheDir = join(temporaryFolder(), "cache");
      const { output } = await run(workspace, cacheDir, ["run", "build"], {
        ...env,
        CUENV_CACHE: mode,
      });
      expect(output).toContain("FULL TURBO");
      expect(workspace.runs()).toEqual({});
      expect(workspace.outputs()).toEqual(first.outputs());
      expect(existsSync(join(cacheDir, "v1", "ac", "sha256"))).toBe(mode === "read-write");
    }
  });

  it("T4: takes artifacts that nobody signed, or somebody unknown, for misses, with one warning", async () => {
    const cacheDir = join(temporaryFolder(), "cache");
    const buildAnew = async (env: Readonly<Record<string, string>>) => {
      const workspace = installed();
      const { code, output } = await run(workspace, cacheDir, ["run", "build"], env);
      expect(code, output).toBe(0);
      const warnings = output.split("\n").filter((line) => /warning/i.test(line));
      return { runs: workspace.runs(), warnings };
    };
    const warning = (why: string) =>
      expect.stringMatching(
        new RegExp(`^warning: stored artifacts are not used, [0-9a-f]{16} for one: ${why}`),
      );
    await buildAnew({ CUENV_TRUST: "off" });
    expect(await buildAnew({})).toEqual({ runs: once, warnings: [warning("it has no signature")] });
    expect(await buildAnew({})).toEqual({ runs: {}, warnings: [] });
    const stranger = { HOME: temporaryFolder() };
    const foreign = { runs: once, warnings: [warning("the key ed25519-\\w+ is not trusted")] };
    expect(await buildAnew(stranger)).toEqual(foreign);
    expect(readdirSync(join(cacheDir, "v1", "quarantine"))).toHaveLength(6);
  });

  it("needs no key of turbo's where turbo.json demands its signatures, unless nobody else signs", async () => {
    const cacheDir = join(temporaryFolder(), "cache");
    const first = installed({ signature: true });
    const { output } = await run(first, cacheDir, ["run", "build"]);
    expect(output).not.toMatch(/warning/i);
    const second = installed({ signature: true });
    expect((await run(second, cacheDir, ["run", "build"])).output).toContain("FULL TURBO");
    second.wipe();
    const unsigned = await run(second, cacheDir, ["run", "build"], { CUENV_TRUST: "off" });
    expect(unsigned.output).toContain("artifact signature error");
  });

  it("goes by the settings of the root, whichever folder it is started in: results of other tools are kept apart", async () => {
    const workspace = installed();
    workspace.write("env.cue", 'package cuenv\nconfig: cache: runtime: ["cat tool-version"]\n');
    workspace.write(
      "packages/app/env.cue",
      'package cuenv\ntasks: own: {command: "true", inputs: []}\n',
    );
    const cacheDir = join(temporaryFolder(), "cache");
    const within = join(workspace.root, "packages", "app");
    const builds = async (version: string, cwd: string, args: readonly string[] = []) => {
      workspace.write("tool-version", version);
      const before = workspace.runs()["app"] ?? 0;
      const argv = [process.execPath, launcher, "turbo", "run", "build", ...args];
      const env = workspace.env({ CUENV_CACHE_DIR: cacheDir, HOME: home });
      const { code, output } = await runProgram(argv, { cwd, env });
      expect(code, output).toBe(0);
      return (workspace.runs()["app"] ?? 0) - before;
    };
    expect(await builds("1", within)).toBe(1);
    expect(await builds("2", within)).toBe(1);
    expect(await builds("1", workspace.root)).toBe(0);
    const elsewhere = temporaryFolder();
    for (const flag of [["--cwd", workspace.root], [`--cwd=${workspace.root}`]])
      expect(await builds("2", elsewhere, flag), flag[0]).toBe(0);
  });

  it("runs turbo all the same, and says why in one line, where its folder cannot be used", async () => {
    const workspace = installed();
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    const { code, output } = await run(workspace, join(file, "cache"), ["run", "build"]);
    expect(code, output).toBe(0);
    expect(workspace.runs()).toEqual(once);
    const warnings = output.split("\n").filter((line) => /warning/i.test(line));
    expect(warnings).toEqual([
      expect.stringMatching(
        /^warning: turbo runs without this cache: cannot write to cache folder/,
      ),
    ]);
  });

  it("keeps nothing anywhere when the cache is off", async () => {
    const cacheDir = join(temporaryFolder(), "cache");
    const workspace = installed();
    for (const count of [1, 2]) {
      const { code } = await run(workspace, cacheDir, ["run", "build"], { CUENV_CACHE: "off" });
      expect(code).toBe(0);
      expect(workspace.runs()).toEqual({ core: count, lib: count, app: count });
    }
    expect(existsSync(cacheDir)).toBe(false);
  });

  it("reads and does not write in mode read", async () => {
    const cacheDir = join(temporaryFolder(), "cache");
    const workspace = installed();
    await run(workspace, cacheDir, ["run", "build"], { CUENV_CACHE: "read" });
    const other = installed();
    await run(other, cacheDir, ["run", "build"], { CUENV_CACHE: "read" });
    expect(other.runs()).toEqual(once);
    await run(other, cacheDir, ["run", "build", "--force"]);
    const third = installed();
    await run(third, cacheDir, ["run", "build"], { CUENV_CACHE: "read" });
    expect(third.runs()).toEqual({});
  });

  it("writes and does not read in mode write", async () => {
    const cacheDir = join(temporaryFolder(), "cache");
    const workspace = installed();
    for (const count of [1, 2]) {
      await run(workspace, cacheDir, ["run", "build"], { CUENV_CACHE: "write" });
      expect(workspace.runs()).toEqual({ core: count, lib: count, app: count });
    }
    const other = installed();
    await run(other, cacheDir, ["run", "build"]);
    expect(other.runs()).toEqual({});
  });

  it("says so where turbo link configured a remote cache, which it takes the place of", async () => {
    const workspace = installed();
    workspace.write(".turbo/config.json", JSON.stringify({ teamId: "team_acme" }));
    const { output } = await run(workspace, join(temporaryFolder(), "cache"), ["run", "build"]);
    expect(output).toContain("the remote cache that turbo link configured is not used");
    expect(output).toContain("Remote caching enabled");
  });

  it("steps aside where a remote cache is configured already", async () => {
    const workspace = installed();
    const { url } = await serve();
    const env = { TURBO_API: url, TURBO_TOKEN: "any", TURBO_TEAM: "acme" };
    const cacheDir = join(temporaryFolder(), "cache");
    const { output, code } = await run(workspace, cacheDir, ["run", "build"], env);
    expect(code).toBe(0);
    expect(output).toContain("turbo's own remote cache is used");
    workspace.wipe();
    await build(workspace, "2.11.11", env);
    expect(workspace.runs()).toEqual(once);
  });

  it("steps aside where flags name a remote cache, which gets neither this cache's team nor its key", async () => {
    const workspace = installed({ signature: true });
    const { url } = await serve();
    const cacheDir = join(temporaryFolder(), "cache");
    const flags = ["--api", url, "--token", "any", "--team", "acme"];
    const given = { TURBO_REMOTE_CACHE_SIGNATURE_KEY: signatureKey };
    const { output, code } = await run(workspace, cacheDir, ["run", "build", ...flags], given);
    expect(code, output).toBe(0);
    expect(output).toContain("--api or --token is given, so turbo's own remote cache is used");
    expect(existsSync(cacheDir)).toBe(false);
    workspace.wipe();
    const env = { TURBO_API: url, TURBO_TOKEN: "any", TURBO_TEAM: "acme", ...given };
    await build(workspace, "2.11.11", env);
    expect(workspace.runs()).toEqual(once);
  });

  it("is used where the variables of another remote cache are empty, and no proxy stands between", async () => {
    const cacheDir = join(temporaryFolder(), "cache");
    const env = {
      TURBO_API: "",
      TURBO_TOKEN: "",
      TURBO_REMOTE_CACHE_SIGNATURE_KEY: "",
      HTTP_PROXY: "http://127.0.0.1:9",
      NO_PROXY: "example.com",
    };
    await run(installed({ signature: true }), cacheDir, ["run", "build"], env);
    const second = installed({ signature: true });
    const { output } = await run(second, cacheDir, ["run", "build"], env);
    expect(output).not.toMatch(/warning/i);
    expect(output).toContain("FULL TURBO");
  });

  it.each(["--remote-only", "--no-cache", "--remote-cache-read-only"])(
    "lets turbo's own %s win over a narrowed mode, which turbo would end over",
    async (flag) => {
      const cacheDir = join(temporaryFolder(), "cache");
      const argv = ["run", "build", flag];
      const { code, output } = await run(installed(), cacheDir, argv, { CUENV_CACHE: "read" });
      expect(code, output).toBe(0);
    },
  );

  it("stays out of what is about an account elsewhere: login, logout, link and unlink", async () => {
    const workspace = installed();
    const cacheDir = join(temporaryFolder(), "cache");
    workspace.write(".turbo/config.json", JSON.stringify({ teamId: "team_acme" }));
    const { output, code } = await run(workspace, cacheDir, ["unlink"]);
    expect(code, output).toBe(0);
    expect(output).not.toContain("cuenv");
    expect(existsSync(cacheDir)).toBe(false);
  });
});
