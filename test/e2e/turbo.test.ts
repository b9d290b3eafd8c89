import { existsSync, mkdirSync, symlinkSync } from "node:fs";
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
  function installed(): TurboWorkspace {
    const workspace = makeTurboWorkspace();
    mkdirSync(join(workspace.root, "node_modules", ".bin"), { recursive: true });
    symlinkSync(turboProgram("2.11.11"), join(workspace.root, "node_modules", ".bin", "turbo"));
    return workspace;
  }
  const run = (workspace: TurboWorkspace, cacheDir: string, args: readonly string[], env = {}) =>
    runProgram([process.execPath, launcher, "turbo", ...args], {
      cwd: workspace.root,
      env: workspace.env({ CUENV_CACHE_DIR: cacheDir, CUENV_TRUST: "off", ...env }),
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
});
