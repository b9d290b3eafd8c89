import { chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { shippedLauncher } from "../command/launchers.ts";
import {
  createSandbox,
  cue,
  type Outcome,
  plainEnvironment,
  type ProgramOptions,
  runProgram,
  type Sandbox,
} from "./sandbox.ts";

const project = cue({ tasks: { t: { command: "echo x", inputs: [] } } });

/** The files of the cache folder below this one. */
function files(sandbox: Sandbox, folder: string): string[] {
  return readdirSync(`${sandbox.cacheDir}/${folder}`, { recursive: true, encoding: "utf8" });
}

/** A cache folder that other projects use, with a place for compiled code that has none yet. */
function withSharedFolder(content: string): Sandbox {
  const own = createSandbox({ "env.cue": content }, { isShipped: true });
  mkdirSync(`${own.cacheDir}/v1/compile-cache`, { recursive: true, mode: 0o700 });
  return own;
}

describe("the launcher's compiled code", () => {
  it.each<[string, string[], Record<string, string>]>([
    ["--cache off", ["--cache", "off"], {}],
    ["--cache=OFF", ["--cache=OFF"], { CUENV_CACHE: "read" }],
    ["CUENV_CACHE=off", [], { CUENV_CACHE: "Off" }],
    ["CUENV_CACHE_ENABLED=false", [], { CUENV_CACHE_ENABLED: "false" }],
  ])("row 41: is not kept with %s", async (_, flags, env) => {
    const own = withSharedFolder(project);
    expect(await own.cuenv(["task", "t", ...flags], { env })).toMatchObject({ stdout: "x\n" });
    expect(files(own, "v1")).toEqual(["compile-cache"]);
  });

  it.runIf(process.platform === "linux").each([
    ["disabled", { enabled: false }],
    ["off", { defaultMode: "off" }],
    ["read", { defaultMode: "read" }],
  ])("row 41: is not kept when the configuration says %s", async (_, cache) => {
    const own = withSharedFolder(
      cue({ config: { cache }, tasks: { t: { command: "echo x", inputs: [] } } }),
    );
    expect(await own.cuenv(["task", "t"])).toMatchObject({ stdout: "x\n" });
    const kept = readdirSync(own.cacheDir, { recursive: true, withFileTypes: true });
    expect(kept.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([]);
  });

  it("is kept otherwise from the second run on, whatever stood before the last word", async () => {
    const own = createSandbox({ "env.cue": project }, { isShipped: true });
    const env = { CUENV_CACHE: "off" };
    const run = () => own.cuenv(["task", "t", "--cache", "off", "--cache=read-write"], { env });
    await run();
    expect(files(own, "v1/compile-cache")).toEqual([]);
    await run();
    const kept = files(own, "v1/compile-cache");
    expect(kept.length).toBeGreaterThan(3);
    await own.cuenv(["task", "t"]);
    expect(files(own, "v1/compile-cache").toSorted()).toEqual(kept.toSorted());
  });
});

describe("the launcher of a user without an account", () => {
  it
    .runIf(process.geteuid?.() === 0 && process.platform === "linux")
    .each<[string, Record<string, string>]>([
      ["no $HOME", {}],
      ["an empty $HOME", { HOME: "" }],
    ])("runs tasks with %s, and says that nothing can be kept", async (_, home) => {
    const own = createSandbox({ "env.cue": project });
    const { HOME: _home, ...env } = plainEnvironment(own.home);
    for (const path of [own.path(".."), own.root]) chownSync(path, 54_321, 54_321);
    const user = ["--reuid=54321", "--regid=54321", "--clear-groups", "env", "-u", "HOME"];
    const homes = Object.entries(home).map(([name, value]) => `${name}=${value}`);
    const run = await runProgram(
      "setpriv",
      [...user, ...homes, process.execPath, shippedLauncher, "task", "t"],
      { cwd: own.root, env },
    );
    expect(run).toMatchObject({ code: 0, stdout: "x\n" });
    expect(run.stderr).toContain("warning: ");
    expect(run.stderr).not.toContain("INTERNAL");
  });
});

describe("the launcher under an older Node", () => {
  const old =
    'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"18.0.0"}})';

  /** As on a machine whose Node is too old, in a project that brings a newer one. */
  function launch(own: Sandbox, task: string, options: Partial<ProgramOptions>): Promise<Outcome> {
    const node = own.path("node_modules/.bin/node");
    mkdirSync(dirname(node), { recursive: true });
    symlinkSync(process.execPath, node);
    return runProgram(process.execPath, ["--import", old, shippedLauncher, "task", task], {
      cwd: own.root,
      env: { ...plainEnvironment(own.home), CUENV_CACHE_DIR: own.cacheDir },
      ...options,
    });
  }
  const tasks = {
    seven: { command: "exit 7" },
    seen: { command: "echo launched=$CUENV_LAUNCHED" },
    hangs: { command: "echo $PPID $$ > ../pid; exec sleep 300" },
  };

  it("passes the exit code of the newer Node on, and leaves no trace in what tasks see", async () => {
    const own = createSandbox({ "env.cue": cue({ tasks }) });
    expect(await launch(own, "seven", {})).toMatchObject({ code: 7 });
    own.remove("node_modules");
    expect(await launch(own, "seen", {})).toMatchObject({ code: 0, stdout: "launched=\n" });
  });

  it.each([
    ["SIGKILL", 137],
    ["SIGTERM", 143],
  ] as const)("row 31: exits with 128+n when %s ended what it started", async (signal, code) => {
    const own = createSandbox({ "env.cue": cue({ tasks }) });
    let launched = 0;
    const ended = launch(own, "hangs", { onStart: (pid) => (launched = pid) });
    const [inner = 0, task = 0] = await vi.waitFor(
      () => {
        expect(own.read("../pid")).toMatch(/^\d+ \d+\n$/);
        return own.read("../pid").trim().split(" ").map(Number);
      },
      { timeout: 40_000, interval: 20 },
    );
    expect(inner).not.toBe(launched);
    // SIGTERM goes to the launcher, as a service manager sends it; SIGKILL cannot be passed on.
    process.kill(signal === "SIGTERM" ? launched : inner, signal);
    // What a killed cuenv leaves running still holds its streams.
    if (signal === "SIGKILL") process.kill(task, signal);
    expect(await ended).toMatchObject({ code, signal: null });
  });

  it.runIf(process.geteuid?.() === 0).each(["mine", "."])(
    "runs no node that another user put into a folder for all, seen from %s in it",
    async (cwd) => {
      const own = createSandbox({
        "shared/node_modules/.bin/node": "#!/bin/sh\necho taken over\n",
      });
      mkdirSync(own.path("shared/mine"));
      chmodSync(own.path("shared"), 0o1777);
      for (const name of ["", "/.bin", "/.bin/node"]) {
        const path = own.path(`shared/node_modules${name}`);
        chmodSync(path, 0o755);
        chownSync(path, 65534, 65534);
      }
      const run = await runProgram(process.execPath, ["--import", old, shippedLauncher, "task"], {
        cwd: own.path(`shared/${cwd}`),
        env: plainEnvironment(own.home),
      });
      expect([run.code, run.stdout]).toEqual([70, ""]);
    },
  );

  it("says what is needed where there is no newer one", async () => {
    const own = createSandbox({ "env.cue": project }, { isShipped: true });
    const run = await runProgram(process.execPath, ["--import", old, shippedLauncher, "task"], {
      cwd: own.root,
      env: plainEnvironment(own.home),
    });
    expect(run).toMatchObject({ code: 70, stdout: "" });
    expect(run.stderr).toMatch(/^error: cuenv .* needs Node 22\.18 or newer, and this is Node 18/);
  });
});
