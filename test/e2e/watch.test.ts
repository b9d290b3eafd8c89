import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { isAlive } from "./is-alive.ts";
import {
  counting,
  createSandbox,
  cue,
  launcher,
  type Outcome,
  plainEnvironment,
  type Sandbox,
} from "./sandbox.ts";

interface Watch {
  readonly sandbox: Sandbox;
  readonly ended: Promise<Outcome>;
  readonly pid: () => number;
}

let running: Watch | undefined;
afterEach(async () => {
  if (running === undefined) return;
  const { pid, ended } = running;
  running = undefined;
  kill(pid(), "SIGINT");
  await ended;
});

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Over already.
  }
}

function start(
  files: Readonly<Record<string, string>>,
  task: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Watch {
  const sandbox = createSandbox(files);
  let pid = 0;
  const ended = sandbox.cuenv(["task", task, "--watch", ...args], {
    detached: true,
    env,
    onStart: (id) => (pid = id),
  });
  running = { sandbox, ended, pid: () => pid };
  return running;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Tasks count their runs in ../NAME. Waits for so many, and gives how many there are some moments later. */
async function runs({ sandbox }: Watch, name: string, least: number): Promise<number> {
  await vi.waitUntil(() => sandbox.count(`../${name}`) >= least, {
    timeout: 30_000,
    interval: 20,
  });
  await wait(700);
  return sandbox.count(`../${name}`);
}

const project = (task: Readonly<Record<string, unknown>>): Record<string, string> => ({
  "env.cue": cue({ tasks: { t: task } }),
  "src/a": "1",
});
const reading = {
  command: "cat src/* > /dev/null 2>&1; echo x >> ../t; date +%N > out",
  inputs: ["src"],
  outputs: ["out"],
};

describe("cuenv task --watch", () => {
  it("runs again when the content of an input changes, and not for a touch, other files or outputs", async () => {
    const watch = start(project(reading), "t");
    expect(await runs(watch, "t", 1)).toBe(1);
    watch.sandbox.write("src/a", "2");
    expect(await runs(watch, "t", 2)).toBe(2);
    const soon = Date.now() / 1000 + 5;
    utimesSync(watch.sandbox.path("src/a"), soon, soon);
    watch.sandbox.write("elsewhere", "1");
    watch.sandbox.write("out", "edited");
    expect(await runs(watch, "t", 2)).toBe(2);
  });

  // Not how often it ran: where this process is held up in the middle of a save, the watcher rightly sees two.
  it("sees what editors do to save: a rename over the file, and a copy that is put aside", async () => {
    const command = "cat src/a > out 2>/dev/null || true";
    const { sandbox } = start(project({ command, inputs: ["src"], outputs: ["out"] }), "t");
    const built = (text: string): Promise<void> =>
      expect.poll(() => existsSync(sandbox.path("out")) && sandbox.read("out")).toBe(text);
    await built("1");
    sandbox.write("src/.a.tmp~", "2");
    renameSync(sandbox.path("src/.a.tmp~"), sandbox.path("src/a"));
    await built("2");
    renameSync(sandbox.path("src/a"), sandbox.path("src/a~"));
    sandbox.write("src/4913", "");
    unlinkSync(sandbox.path("src/4913"));
    sandbox.write("src/a", "3");
    unlinkSync(sandbox.path("src/a~"));
    await built("3");
    writeFileSync(sandbox.path("src/a"), "");
    writeFileSync(sandbox.path("src/a"), "4");
    await built("4");
  });

  it("runs for every save, also where each falls into a run", async () => {
    const command = "cat src/a > out; sleep 1";
    const { sandbox } = start(project({ command, inputs: ["src"], outputs: ["out"] }), "t");
    const built = (text: string): Promise<void> =>
      expect.poll(() => existsSync(sandbox.path("out")) && sandbox.read("out")).toBe(text);
    for (const text of ["1", "2", "3", "4"]) {
      sandbox.write("src/a", text);
      await built(text);
    }
  });

  it("follows new folders, and those that were removed and made again", async () => {
    const watch = start(project(reading), "t");
    const { sandbox } = watch;
    expect(await runs(watch, "t", 1)).toBe(1);
    mkdirSync(sandbox.path("src/deep/er"), { recursive: true });
    sandbox.write("src/deep/er/b", "1");
    expect(await runs(watch, "t", 2)).toBe(2);
    sandbox.write("src/deep/er/b", "2");
    expect(await runs(watch, "t", 3)).toBe(3);
    rmSync(sandbox.path("src"), { recursive: true });
    expect(await runs(watch, "t", 4)).toBe(4);
    sandbox.write("src/a", "5");
    expect(await runs(watch, "t", 5)).toBe(5);
    sandbox.write("src/a", "6");
    expect(await runs(watch, "t", 6)).toBe(6);
  });

  it("comes to rest when tasks write what nobody declared, and what they read", async () => {
    const loose = start(
      project({ command: "echo x >> ../t; date +%N > new; date +%N >> src/a" }),
      "t",
    );
    // Three times more for src/a, which was there: somebody could have edited it.
    expect(await runs(loose, "t", 4)).toBe(4);
    loose.sandbox.write("src/b", "1");
    expect(await runs(loose, "t", 5)).toBe(5);
    kill(loose.pid(), "SIGINT");
    const { stderr } = await loose.ended;
    expect(stderr).toMatch(/the tasks themselves write src\/a: /);
  });

  it.runIf(process.platform === "linux" && process.geteuid?.() === 0)(
    "runs again for what is beside a folder that it may not list",
    async () => {
      const sandbox = createSandbox({
        "env.cue": cue({ tasks: { t: { command: "echo ran", inputs: ["src"] } } }),
        "src/a": "1",
        "src/locked/b": "1",
        "log.txt": "",
      });
      chmodSync(sandbox.path("src/locked"), 0o700);
      for (const path of ["..", "", "src"]) chownSync(sandbox.path(path), 54_321, 54_321);
      const user = ["--reuid=54321", "--regid=54321", "--clear-groups"];
      const log = openSync(sandbox.path("log.txt"), "w");
      const args = [...user, process.execPath, launcher, "task", "t", "--watch"];
      const { pid = 0 } = spawn("setpriv", args, {
        cwd: sandbox.root,
        env: { ...plainEnvironment(sandbox.path("../home-of-it")), CUENV_CACHE: "off" },
        stdio: ["ignore", log, log],
        detached: true,
      });
      closeSync(log);
      const said = (): string => sandbox.read("log.txt");
      try {
        await vi.waitUntil(() => said().includes("waiting for changes to 1 file"), {
          timeout: 30_000,
        });
        sandbox.write("src/a", "2");
        await expect.poll(said, { timeout: 30_000 }).toContain("src/a changed");
      } finally {
        kill(pid, "SIGINT");
        await vi.waitUntil(() => !isAlive(pid), { timeout: 30_000, interval: 20 });
      }
    },
  );

  it("does not run again for what it prints itself into a file of the project", async () => {
    const sandbox = createSandbox({ "env.cue": cue({ tasks: { t: counting("t", "echo told") } }) });
    const log = openSync(sandbox.path("log.txt"), "w");
    const { pid = 0 } = spawn(process.execPath, [launcher, "task", "t", "--watch"], {
      cwd: sandbox.root,
      env: { ...plainEnvironment(sandbox.home), CUENV_CACHE_DIR: sandbox.cacheDir },
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    try {
      await vi.waitUntil(() => sandbox.read("log.txt").includes("waiting for changes"), {
        timeout: 30_000,
      });
      sandbox.write("other.txt", "new\n");
      await vi.waitUntil(() => sandbox.read("log.txt").split("waiting for").length === 3, {
        timeout: 30_000,
      });
      await wait(700);
      expect(sandbox.count("../t")).toBe(2);
    } finally {
      kill(pid, "SIGINT");
    }
  });

  it("comes to rest when another program writes what it prints into a file of the project, and still sees edits", async () => {
    const sandbox = createSandbox({
      "env.cue": cue({ tasks: { t: counting("t", "echo told") } }),
      "log.txt": "",
    });
    const args = [process.execPath, launcher, "task", "t", "--watch"];
    const { pid = 0 } = spawn("sh", ["-c", '"$@" 2>&1 | cat > log.txt', "sh", ...args], {
      cwd: sandbox.root,
      env: { ...plainEnvironment(sandbox.home), CUENV_CACHE_DIR: sandbox.cacheDir },
      stdio: "ignore",
      detached: true,
    });
    const said = (times: number) => (): boolean =>
      sandbox.read("log.txt").split("waiting for changes").length > times;
    try {
      await vi.waitUntil(
        () => sandbox.read("log.txt").includes("the tasks themselves write log.txt"),
        { timeout: 60_000 },
      );
      await wait(1_500);
      const rested = sandbox.count("../t");
      const times = sandbox.read("log.txt").split("waiting for changes").length;
      sandbox.write("other.txt", "new\n");
      await vi.waitUntil(said(times), { timeout: 30_000 });
      await wait(1_500);
      expect(sandbox.count("../t")).toBe(rested + 1);
    } finally {
      kill(pid, "SIGINT");
    }
  });

  it("lets a server run on that writes what it reads, once it knows that", async () => {
    const watch = start(
      {
        "env.cue": cue({
          tasks: {
            serve: counting("serve", "while :; do date +%N > state.txt; sleep 0.2; done"),
          },
        }),
        "state.txt": "",
      },
      "serve",
    );
    const { sandbox } = watch;
    await vi.waitUntil(() => sandbox.count("../serve") === 5, { timeout: 60_000, interval: 100 });
    const before = sandbox.read("state.txt");
    await vi.waitUntil(() => sandbox.read("state.txt") !== before, { timeout: 30_000 });
    expect(sandbox.count("../serve")).toBe(5);
  });

  it("ends what runs when its inputs change, and starts anew", async () => {
    const watch = start(
      project({
        command: "echo x >> ../t; grep -q 1 src/a && sleep 60; echo y >> ../done",
        inputs: ["src"],
      }),
      "t",
    );
    expect(await runs(watch, "t", 1)).toBe(1);
    watch.sandbox.write("src/a", "1 again");
    expect(await runs(watch, "t", 2)).toBe(2);
    // The same file in the next run, too: no edit is lost.
    watch.sandbox.write("src/a", "2");
    expect(await runs(watch, "t", 3)).toBe(3);
    expect(await runs(watch, "done", 1)).toBe(1);
  });

  it("does not take files that come and go in the project's folder for another configuration", async () => {
    const command =
      "echo x >> ../t; for i in 1 2 3 4 5 6 7 8; do echo $i > tmp.$i; rm tmp.$i; sleep 0.2; done; echo y >> ../done";
    const watch = start(project({ command, inputs: ["src"] }), "t");
    expect(await runs(watch, "done", 1)).toBe(1);
    expect(watch.sandbox.count("../t")).toBe(1);
  });

  it("goes on after a task that fails and a configuration that is broken, and reads it anew", async () => {
    const watch = start(project({ ...reading, command: `${reading.command}; exit 3` }), "t");
    const { sandbox } = watch;
    expect(await runs(watch, "t", 1)).toBe(1);
    const good = sandbox.read("env.cue");
    sandbox.write("env.cue", "package cuenv\ntasks: {");
    await wait(1500);
    sandbox.write("src/a", "2");
    expect(await runs(watch, "t", 1)).toBe(1);
    sandbox.write("env.cue", good.replace("exit 3", "echo x >> ../other"));
    expect(await runs(watch, "t", 2)).toBe(2);
    expect(await runs(watch, "other", 1)).toBe(1);
    sandbox.write("src/a", "3");
    expect(await runs(watch, "t", 3)).toBe(3);
    kill(watch.pid(), "SIGINT");
    const { stderr } = await watch.ended;
    expect(stderr).toMatch(/\[CUE_SYNTAX\]/);
    expect(stderr).toMatch(/waiting until the configuration is mended/);
  });

  it("row 31: Ctrl-C while it waits, and while a task runs, exits with 130 and leaves nothing", async () => {
    const idle = start(project(reading), "t");
    expect(await runs(idle, "t", 1)).toBe(1);
    kill(idle.pid(), "SIGINT");
    expect((await idle.ended).code).toBe(130);
    const busy = start(
      project({ command: "echo $$ >> ../t; sleep 300 & echo $! >> ../t; wait", inputs: [] }),
      "t",
    );
    expect(await runs(busy, "t", 2)).toBe(2);
    const pids = busy.sandbox.read("../t").trim().split("\n").map(Number);
    expect(pids.filter(isAlive)).toHaveLength(2);
    kill(busy.pid(), "SIGINT");
    expect((await busy.ended).code).toBe(130);
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 5_000 });
  });

  it("says more of each run where variables ask for it", async () => {
    const files = { "env.cue": cue({ tasks: { t: { ...counting("t"), inputs: ["a"] } } }), a: "1" };
    const asked = { CUENV_CACHE_DEBUG: "1", CUENV_CACHE_STATS: "1" };
    const watch = start(files, "t", [], asked);
    await runs(watch, "t", 1);
    watch.sandbox.write("a", "2");
    expect(await runs(watch, "t", 2)).toBe(2);
    kill(watch.pid(), "SIGINT");
    const { stderr } = await watch.ended;
    expect(stderr.match(/stored, key [0-9a-f]{64}/g)).toHaveLength(2);
    expect(stderr.match(/^Cache folder /gm)).toHaveLength(2);
  });

  it("refuses what a watch cannot give, and a task that is not there", async () => {
    const sandbox = createSandbox(project(reading));
    for (const args of [["t", "--json"], ["t", "--dry-run"], ["t", "--trace", "x"], [], ["u"]]) {
      const run = await sandbox.cuenv(["task", ...args, "--watch"]);
      expect(run.code, `${args.join(" ")}: ${run.stderr}`).toBe(2);
    }
  });
});
