import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cacheStatus, runJson, statusOf } from "./run-json.ts";
import {
  counting,
  createSandbox,
  cue,
  launcher,
  type Outcome,
  plainEnvironment,
  runProgram,
  type Sandbox,
} from "./sandbox.ts";

const files = {
  "in.txt": "1\n",
  "env.cue": cue({
    tasks: {
      t: { ...counting("t", "echo said; cat in.txt > out"), inputs: ["in.txt"], outputs: ["out"] },
      u: { ...counting("u", "cat out"), inputs: [], dependencies: ["t"] },
    },
  }),
};

/** The files of the store below `part` (`cas`, `ac`). */
function stored(sandbox: Sandbox, part: string): string[] {
  const folder = join(sandbox.cacheDir, "v1", part);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function damage(path: string): void {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
}

describe.concurrent("a damaged cache", () => {
  it("row 28: a task runs again, rightly, when its blobs or its entry are damaged", async () => {
    const own = createSandbox(files);
    const empty = (path: string): void => writeFileSync(path, "");
    const harms = [
      ["a bit of each blob", "cas", damage],
      ["a bit of each entry", "ac", damage],
      ["blobs cut off", "cas", empty],
      ["entries cut off", "ac", empty],
    ] as const;
    expect(await cacheStatus(own, ["u"])).toEqual({ t: "miss", u: "miss" });
    for (const [what, part, harm] of harms) {
      const before = own.count("../t");
      for (const path of stored(own, part)) harm(path);
      own.remove("out");
      const run = await runJson(own, ["u"]);
      expect(run.code, what).toBe(0);
      expect(run.tasks["t"]?.cache.status, what).toBe("miss");
      expect(own.read("out"), what).toBe("1\n");
      expect(own.count("../t"), what).toBe(before + 1);
      expect(run.stderr, what).toMatch(/^warning: .*t is not used/m);
      expect(await cacheStatus(own, ["u"]), what).toEqual({ t: "hit", u: "hit" });
    }
  });

  it("row 45: blobs that are gone make a task run again, without a warning", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["u"]);
    rmSync(join(own.cacheDir, "v1/cas"), { recursive: true });
    own.remove("out");
    const run = await runJson(own, ["t"]);
    expect(run.tasks["t"]?.cache).toMatchObject({ status: "miss", stored: true });
    expect(run.stderr).not.toMatch(/warning/);
    expect(own.read("out")).toBe("1\n");
  });

  it("is not what a result of another version is called, which is a miss", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["t"]);
    const [entry = ""] = stored(own, "ac");
    chmodSync(entry, 0o644);
    writeFileSync(entry, readFileSync(entry, "latin1").replace("cuenv-entry 1", "cuenv-entry 2"));
    const text = "its stored result is of another version of cuenv (cuenv-entry 2 sha256)";
    const preview = await own.cuenv(["task", "t", "--dry-run"]);
    expect(preview.stdout + preview.stderr).toContain(text);
    expect(readFileSync(entry, "latin1")).toMatch(/^cuenv-entry 2/);
    const run = await own.cuenv(["task", "t"]);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain(`t: miss, ${text}`);
    expect(run.stderr).not.toMatch(/warning|damaged/);
    expect(await cacheStatus(own, ["t"])).toEqual({ t: "hit" });
  });

  it("row 28: an entry copied under another key is not believed", async () => {
    const own = createSandbox({
      "env.cue": cue({
        tasks: {
          a: { command: "echo a", inputs: [] },
          b: { command: "echo b", inputs: [] },
        },
      }),
    });
    await own.cuenv(["task", "a", "b"]);
    const [first = "", second = ""] = stored(own, "ac");
    chmodSync(second, 0o644);
    writeFileSync(second, readFileSync(first));
    const run = await own.cuenv(["task", "a", "b", "--output", "raw"]);
    expect(run.stdout.split("\n").toSorted()).toEqual(["", "a", "b"]);
    expect(run.stderr.match(/: miss/g)).toHaveLength(1);
  });

  it("row 28: verify finds damage with exit code 4, and --repair mends it", async () => {
    const own = createSandbox(files);
    await own.cuenv(["task", "t"]);
    expect(await own.cuenv(["cache", "verify"])).toMatchObject({ code: 0 });
    for (const path of stored(own, "cas").slice(0, 1)) damage(path);
    const found = await own.cuenv(["cache", "verify", "--json"]);
    expect(found.code).toBe(4);
    expect(JSON.parse(found.stdout)).toMatchObject({ version: 1, repaired: 0 });
    expect((JSON.parse(found.stdout) as { corrupt: unknown[] }).corrupt).not.toEqual([]);
    expect((await own.cuenv(["cache", "verify", "--repair"])).code).toBe(0);
    expect(await own.cuenv(["cache", "verify"])).toMatchObject({ code: 0 });
    expect(await statusOf(own, "t")).toBe("miss");
  });
});

describe.concurrent("the cache folder", () => {
  it("row 34: clear removes all results, and no file that is not the cache's own", async () => {
    const own = createSandbox(files);
    await own.cuenv(["task", "u"]);
    writeFileSync(join(own.cacheDir, "mine.txt"), "mine");
    const cleared = await own.cuenv(["cache", "clear", "--json"]);
    expect(JSON.parse(cleared.stdout)).toMatchObject({ version: 1, entries: 2 });
    expect(readFileSync(join(own.cacheDir, "mine.txt"), "utf8")).toBe("mine");
    const there = (name: string): boolean => existsSync(join(own.cacheDir, "v1", name));
    expect(["workspaces", "cas", "ac", "index", "journal"].filter(there)).toEqual([]);
    expect(there("stats")).toBe(true);
    expect(await cacheStatus(own, ["u"])).toEqual({ t: "miss", u: "miss" });
    expect((await own.cuenv(["cache", "clear", "--help"])).stdout).toMatch(/Statistics.* stay/s);
  });

  it("row 33: stats count hits, misses and stores of all processes", async () => {
    const own = createSandbox(files);
    await own.cuenv(["task", "u"]);
    await own.cuenv(["task", "u"]);
    await own.cuenv(["task", "t"]);
    const run = await own.cuenv(["cache", "stats", "--json"]);
    expect(JSON.parse(run.stdout)).toMatchObject({
      version: 1,
      hits: 3,
      misses: 2,
      stored: 2,
      runs: 3,
      entries: 2,
    });
    expect((await own.cuenv(["cache", "stats"])).stdout).toMatch(/^last hour +3 +3 +2 /m);
  });

  it("row 8: all that is made lies below the cache folder; a relative one is the project's", async () => {
    const own = createSandbox({
      ...files,
      "env.cue": cue({
        config: { cache: { cacheDir: ".store" } },
        tasks: { t: { command: "true", inputs: ["**"] } },
      }),
    });
    const env = { CUENV_CACHE_DIR: undefined, TMPDIR: own.path("../tmp") };
    mkdirSync(own.path("../tmp"));
    expect(await statusOf(own, "t", { env })).toBe("miss");
    expect(await statusOf(own, "t", { env })).toBe("hit");
    expect(own.exists(".store/CACHEDIR.TAG")).toBe(true);
    expect(readdirSync(own.path("../tmp"))).toEqual([]);
    expect(statSync(own.path(".store")).mode & 0o077).toBe(0);
  });

  it("row 8: `~` is the home", async () => {
    const own = createSandbox(files);
    expect(await statusOf(own, "t", { env: { CUENV_CACHE_DIR: "~/store" } })).toBe("miss");
    expect(own.exists("../home/store/CACHEDIR.TAG")).toBe(true);
    expect(own.exists("~")).toBe(false);
  });

  it("row 29: a wrong setting in env.cue is refused with its place, the reason and what would do", async () => {
    const text = 'config: cache: {\n\tmaxSize: "1KiB"\n\tenvInclud: ["X"]\n}\ntasks: {}\n';
    const run = await createSandbox({ "env.cue": text }).cuenv(["task"]);
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toMatch(/env\.cue:3:\d+: [^]*envInclude/);
  });

  it.each([
    ["maxSize", "1KiB", /1 ?MiB/],
    ["maxSize", "2TiB", /1 ?TiB/],
    ["maxSize", "much", /maxSize/],
    ["evictionPolicy", "ARC", /LRU, LFU, FIFO, SizeBased/],
    ["maxAge", "soon", /maxAge/],
  ])("rows 9 and 29: %s: %j in cuenv.cache.json is refused", async (field, value, words) => {
    const text = `{\n  ${JSON.stringify(field)}: ${JSON.stringify(value)}\n}\n`;
    const run = await createSandbox({ "cuenv.cache.json": text }).cuenv(["cache", "stats"]);
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toMatch(/cuenv\.cache\.json:2:\d+: /);
    expect(run.stderr).toMatch(words);
  });

  it("row 9: after many results the folder is within its limit, and the newest result is there", async () => {
    const own = createSandbox({
      "env.cue": cue({
        tasks: Object.fromEntries(
          ["a", "b", "c", "d", "e", "f"].map((name) => [
            name,
            {
              command: `head -c 400000 /dev/urandom > ${name}.bin`,
              inputs: [],
              outputs: [`${name}.bin`],
            },
          ]),
        ),
      }),
    });
    const env = { CUENV_CACHE_MAX_SIZE: "1MiB" };
    for (const name of ["a", "b", "c", "d", "e", "f"]) {
      expect(await statusOf(own, name, { env })).toBe("miss");
      const bytes = stored(own, "cas").reduce((sum, path) => sum + statSync(path).size, 0);
      expect(bytes).toBeLessThanOrEqual(1024 * 1024);
    }
    expect(await statusOf(own, "f", { env })).toBe("hit");
    expect(await statusOf(own, "a", { env })).toBe("miss");
  });

  it.each([
    ["LRU", { first: "hit", second: "miss" }],
    ["FIFO", { first: "miss", second: "hit" }],
  ])("row 16: %s evicts in its own order", async (policy, expected) => {
    const task = (name: string): object => ({
      command: `head -c 400000 /dev/urandom > ${name}.bin`,
      inputs: [],
      outputs: [`${name}.bin`],
    });
    const tasks = { first: task("first"), second: task("second"), third: task("third") };
    const own = createSandbox({ "env.cue": cue({ tasks }) });
    const env = { CUENV_CACHE_MAX_SIZE: "1MiB", CUENV_CACHE_EVICTION_POLICY: policy };
    for (const name of ["first", "second", "first", "third"]) {
      await own.cuenv(["task", name], { env });
    }
    const read = { ...env, CUENV_CACHE: "read" };
    expect(await cacheStatus(own, ["first", "second"], { env: read })).toEqual(expected);
  });
});

describe.concurrent("a cache folder that cannot be used", () => {
  /** Runs cuenv as `nobody`, to whom permissions apply; undefined where that cannot be done. */
  async function asNobody(
    sandbox: Sandbox,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> {
    for (const path of [sandbox.path(".."), sandbox.root, sandbox.home, sandbox.path("in.txt")]) {
      chownSync(path, 65534, 65534);
    }
    return runProgram(
      "setpriv",
      ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, launcher, ...args],
      {
        cwd: sandbox.root,
        env: { ...plainEnvironment(sandbox.home), CUENV_CACHE_DIR: sandbox.cacheDir, ...env },
      },
    );
  }
  const canDrop = process.getuid?.() === 0;
  if (!canDrop)
    process.stderr.write("SKIPPED: rows 8 and 26 as another user: needs root and setpriv\n");

  it.runIf(canDrop)(
    "row 8: an unwritable folder: the task runs, with exactly one warning",
    async () => {
      const own = createSandbox(files);
      mkdirSync(own.cacheDir, { mode: 0o755 });
      for (let time = 1; time <= 2; time += 1) {
        const run = await asNobody(own, ["task", "u"]);
        expect(run.code, run.stderr).toBe(0);
        expect(run.stdout).toMatch(/said/);
        expect(run.stderr.match(/warning/g), run.stderr).toHaveLength(1);
        expect(own.count("../t")).toBe(time);
      }
      expect(readdirSync(own.cacheDir)).toEqual([]);
    },
  );

  it.runIf(canDrop)("row 8: results in a folder that can only be read are used", async () => {
    const own = createSandbox(files);
    await own.cuenv(["task", "u"]);
    own.remove("out");
    execFileSync("chmod", ["-R", "a+rX,go-w", own.cacheDir]);
    // Another user's results: whose they are is not asked here.
    const run = await asNobody(own, ["task", "u"], { CUENV_TRUST: "off" });
    expect(run.code, run.stderr).toBe(0);
    expect(own.read("out")).toBe("1\n");
    expect(own.count("../t")).toBe(1);
    expect((run.stderr.match(/warning/g) ?? []).length).toBeLessThanOrEqual(1);
  });

  it.each(["/proc", "/dev/null"])(
    "row 8: a home that holds nothing: the task runs: %s",
    async (home) => {
      // Where Linux says that there is no such folder, however often it is asked to make it, and where there is no folder.
      const own = createSandbox(files);
      const run = await own.cuenv(["task", "u"], { env: { HOME: home } });
      expect(run.code, run.stderr).toBe(0);
      expect(run.stdout).toMatch(/said/);
      expect(run.stderr).toMatch(/warning: cannot make key file .*machine.key/);
    },
  );

  it("row 8: a file in the place of the folder: the task runs, with exactly one warning", async () => {
    const own = createSandbox(files);
    writeFileSync(own.cacheDir, "not a folder");
    const run = await own.cuenv(["task", "u"]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr.match(/warning/g), run.stderr).toHaveLength(1);
    expect(readFileSync(own.cacheDir, "utf8")).toBe("not a folder");
  });
});
