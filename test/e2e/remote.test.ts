import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AddressInfo, createServer } from "node:net";
import { startChaosProxy } from "../../tools/chaos-proxy.mjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  counting,
  createSandbox,
  cue,
  type Outcome,
  type Sandbox,
  temporaryFolder,
} from "./sandbox.ts";
import { type Serving, startServing } from "./serving.ts";

const secret = "token-that-nobody-may-see-4711";

let serving: Serving;
beforeAll(async () => {
  serving = await startServing(
    { CUENV_SERVER_TOKEN: secret },
    { flags: ["--verbose", "--grpc", "127.0.0.1:0"] },
  );
});
afterAll(() => serving.stop());

const tasks = {
  build: {
    ...counting("runs", "mkdir -p dist && cat src/in > dist/out && echo built"),
    inputs: ["src"],
    outputs: ["dist"],
  },
};

/** A machine: a sandbox whose signing key others of the same user have, too, and a cache folder of its own. */
interface Machine {
  readonly sandbox: Sandbox;
  readonly cuenv: (
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ) => Promise<Outcome>;
}

function machine(
  content: Readonly<Record<string, unknown>> = { tasks },
  like?: Machine,
  endpoint: string = serving.grpcUrl,
): Machine {
  const options = like === undefined ? {} : { beside: like.sandbox };
  const sandbox = createSandbox({ "env.cue": cue(content), "src/in": "one\n" }, options);
  const cacheDir = join(temporaryFolder(), "cache");
  const remote = {
    CUENV_CACHE_DIR: cacheDir,
    CUENV_REMOTE_CACHE_ENDPOINT: endpoint,
    CUENV_REMOTE_CACHE_AUTH_TOKEN: secret,
  };
  return {
    sandbox,
    cuenv: (args, env = {}) => sandbox.cuenv(args, { env: { ...remote, ...env } }),
  };
}

interface RunJson {
  readonly tasks: readonly {
    readonly name: string;
    readonly key: string;
    readonly cache: { readonly status: string; readonly tier: string | null };
    readonly outputsLeft: boolean;
    readonly restoredFiles: number;
  }[];
}

const warnings = ({ stderr }: Outcome): string[] =>
  stderr.split("\n").filter((line) => line.includes("warning"));

describe("a remote cache that several machines have", () => {
  it("row 27: gives the second machine what the first made, which then has it itself, with nobody to ask", async () => {
    const one = machine();
    expect(await one.cuenv(["task", "build"])).toMatchObject({ code: 0, stdout: "built\n" });
    const two = machine(undefined, one);
    const second = await two.cuenv(["task", "build"]);
    const host = serving.grpcUrl.replace("grpc://", "");
    expect(second).toMatchObject({ code: 0, stdout: "built\n" });
    expect(second.stderr).toContain(`build: hit from ${host}`);
    expect(two.sandbox.read("dist/out")).toBe("one\n");
    expect(two.sandbox.count("../runs")).toBe(0);

    two.sandbox.remove("dist");
    const offline = await two.cuenv(["task", "build"], {
      CUENV_REMOTE_CACHE_ENDPOINT: "grpc://192.0.2.1:9092",
    });
    expect(offline.stderr).toContain("build: hit, ");
    expect(warnings(offline)).toEqual([]);
    expect(two.sandbox.read("dist/out")).toBe("one\n");
  });

  it("is looked at by a dry run and by why, which fetch nothing", async () => {
    const one = machine();
    await one.cuenv(["task", "build"]);
    const two = machine(undefined, one);
    const dry = await two.cuenv(["task", "build", "--dry-run", "--json"]);
    expect(JSON.parse(dry.stdout)).toMatchObject({
      tasks: [{ cache: { status: "hit", tier: serving.grpcUrl.replace("grpc://", "") } }],
    });
    expect(two.sandbox.exists("dist")).toBe(false);
    expect(await two.cuenv(["why", "build"])).toMatchObject({ code: 0 });
  });

  it("is not believed: results that another's key signed run anew, and say so once", async () => {
    const content = { tasks: { build: { ...tasks.build, cacheKey: "of a stranger" } } };
    await machine(content).cuenv(["task", "build"]);
    const stranger = machine(content);
    const run = await stranger.cuenv(["task", "build"]);
    expect(run).toMatchObject({ code: 0, stdout: "built\n" });
    expect(stranger.sandbox.count("../runs")).toBe(1);
    expect(warnings(run)).toHaveLength(1);
    expect(warnings(run)[0]).toContain("stored results are not used");
  });

  it("row 15: is read and written as upload_enabled and download_enabled say", async () => {
    for (const upload of ["true", "false"])
      for (const download of ["true", "false"]) {
        const content = { tasks: { build: { ...tasks.build, cacheKey: `${upload} ${download}` } } };
        const env = { CUENV_REMOTE_CACHE_UPLOAD: upload, CUENV_REMOTE_CACHE_DOWNLOAD: download };
        const before = serving.said().length;
        const one = machine(content);
        await one.cuenv(["task", "build"], env);
        const wasAsked = (method: string): boolean => serving.said().slice(before).includes(method);
        const label = `upload ${upload}, download ${download}`;
        expect(wasAsked("UpdateActionResult"), label).toBe(upload === "true");
        expect(wasAsked("/GetActionResult"), label).toBe(download === "true");
        const two = machine(content, one);
        await two.cuenv(["task", "build"], env);
        const isShared = upload === "true" && download === "true";
        expect(two.sandbox.count("../runs"), label).toBe(isShared ? 0 : 1);
      }
  });

  it("row 12: is given the token of ${VAR}, which stands in no log, key, cache or message", async () => {
    const content = { tasks: { build: { ...tasks.build, cacheKey: "token" } } };
    const one = machine(content);
    const folder = join(one.sandbox.home, ".config/cuenv");
    mkdirSync(folder, { recursive: true });
    const remoteCache = { endpoint: serving.grpcUrl, authToken: "${CACHE_TOKEN}" };
    writeFileSync(join(folder, "config.json"), JSON.stringify({ cache: { remoteCache } }));
    const env = {
      CUENV_REMOTE_CACHE_AUTH_TOKEN: "",
      CUENV_REMOTE_CACHE_ENDPOINT: "",
      CACHE_TOKEN: secret,
    };
    const cacheDir = join(temporaryFolder(), "cache");
    const first = await one.cuenv(["task", "build", "--verbose", "--json"], {
      ...env,
      CUENV_CACHE_DIR: cacheDir,
    });
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(warnings(first)).toEqual([]);
    expect(first.stdout + first.stderr).not.toContain(secret);
    const second = await machine(content, one).cuenv(["task", "build", "--json"], env);
    const { tasks: found } = JSON.parse(second.stdout) as RunJson;
    expect(found[0]?.cache.status).toBe("hit");
    // Another token, the same key; and here it is refused.
    const third = await machine(content, one).cuenv(["task", "build", "--json"], {
      ...env,
      CACHE_TOKEN: "wrong",
    });
    expect((JSON.parse(third.stdout) as RunJson).tasks[0]?.key).toBe(found[0]?.key);
    expect(warnings(third)).toHaveLength(1);
    expect(third.stderr).not.toContain("wrong");
    for (const place of [cacheDir, serving.dir, one.sandbox.home])
      for (const file of filesBelow(place)) expect(readFileSync(file).includes(secret)).toBe(false);
    expect(serving.said()).not.toContain(secret);
  });

  it("with an endpoint of another scheme is refused with the field's place (row 11)", async () => {
    const one = machine(undefined, undefined, "http://127.0.0.1:1");
    const run = await one.cuenv(["task", "build"]);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain("CUENV_REMOTE_CACHE_ENDPOINT");
    expect(run.stderr).toContain("grpc://");
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

describe("outputs on demand", () => {
  const chain = {
    tasks: {
      library: {
        ...counting("library-runs", "mkdir -p lib && cat src/in > lib/out"),
        inputs: ["src"],
        outputs: ["lib"],
      },
      program: {
        ...counting("program-runs", "mkdir -p bin && cat lib/out > bin/out"),
        dependencies: ["library"],
        inputs: ["src/in"],
        outputs: ["bin"],
      },
      check: {
        ...counting("check-runs", "cat bin/out lib/out"),
        dependencies: ["program"],
        inputs: ["checked"],
        outputs: [],
      },
    },
  };
  let first: Machine;
  beforeAll(async () => {
    first = machine(chain);
    first.sandbox.write("checked", "");
    await first.cuenv(["task", "check"]);
  });
  const later = (): Machine => {
    const made = machine(chain, first);
    made.sandbox.write("checked", "");
    return made;
  };

  it.each([
    ["all", true, true],
    ["toplevel", false, true],
    ["none", false, false],
  ])("--download=%s", async (what, hasLibrary, hasProgram) => {
    const { sandbox, cuenv } = later();
    const run = await cuenv(["task", "program", `--download=${what}`, "--json"]);
    const { tasks: done } = JSON.parse(run.stdout) as RunJson;
    expect(done.map(({ cache }) => cache.status)).toEqual(["hit", "hit"]);
    expect(done.map(({ outputsLeft }) => !outputsLeft)).toEqual([hasLibrary, hasProgram]);
    expect([sandbox.exists("lib/out"), sandbox.exists("bin/out")]).toEqual([
      hasLibrary,
      hasProgram,
    ]);
  });

  it("fetches what a task that runs needs, of the tasks before those that it names, too", async () => {
    const { sandbox, cuenv } = later();
    sandbox.write("checked", "anew");
    const run = await cuenv(["task", "check", "--download=none", "--output=raw"]);
    expect(run, run.stderr).toMatchObject({ code: 0, stdout: "one\none\n" });
    expect(sandbox.count("../program-runs") + sandbox.count("../library-runs")).toBe(0);
    expect(run.stderr).toContain("its outputs are left there");
  });

  it("refuses what it does not know", async () => {
    const run = await later().cuenv(["task", "check", "--download=some"]);
    expect(run).toMatchObject({ code: 2 });
    expect(run.stderr).toContain("all, toplevel, none");
  });
});

describe("row 44: what is sent to a slow remote cache", () => {
  it("delays no task that depends on what is sent, and is there when the run has ended", async () => {
    const { port } = new URL(serving.grpcUrl);
    const proxy = await startChaosProxy({ host: "127.0.0.1", port: Number(port) });
    const content = {
      tasks: {
        large: {
          command: "sh",
          args: [
            "-c",
            "mkdir -p big && head -c 6000000 /dev/urandom > big/out && date +%s%N > ../large",
          ],
          inputs: [],
          outputs: ["big"],
        },
        after: {
          command: "sh",
          args: ["-c", "date +%s%N > ../after"],
          dependencies: ["large"],
          inputs: [],
          outputs: [],
        },
      },
    };
    // 6 MB at 2 MB/s are three seconds.
    proxy.faults = { uploadBytesPerSecond: 2_000_000 };
    const one = machine(content, undefined, `grpc://127.0.0.1:${proxy.port}`);
    const started = performance.now();
    const run = await one.cuenv(["task", "after"]);
    const tookMs = performance.now() - started;
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(warnings(run)).toEqual([]);
    expect(tookMs).toBeGreaterThan(2_500);
    const at = (file: string): bigint => BigInt(one.sandbox.read(file).trim());
    // The upload alone takes longer than that.
    expect(at("../after") - at("../large")).toBeLessThan(2_500_000_000n);
    await proxy.close();
    const two = machine(content, one);
    const second = await two.cuenv(["task", "after", "--json"]);
    expect((JSON.parse(second.stdout) as RunJson).tasks.map(({ cache }) => cache.status)).toEqual([
      "hit",
      "hit",
    ]);
  });
});

describe("a remote cache that cannot be used", () => {
  /** One that refuses, one that takes connections and never answers, one that leads nowhere. */
  async function endpoints() {
    const silent = createServer((socket) => void socket.on("error", () => undefined));
    const refusing = createServer();
    for (const server of [silent, refusing])
      await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const portOf = (server: typeof silent): number => (server.address() as AddressInfo).port;
    const ports = { silent: portOf(silent), refusing: portOf(refusing) };
    await new Promise((resolve) => refusing.close(resolve));
    return {
      close: () => void silent.close(),
      urls: [
        ["refusing", `grpc://127.0.0.1:${ports.refusing}`],
        ["silent", `grpc://127.0.0.1:${ports.silent}`],
        ["unroutable", "grpc://192.0.2.1:9092"],
      ] as const,
    };
  }

  it("rows 13 and 42: changes nothing of a run but one warning, within its timeout; then the local cache is used", async () => {
    const { urls, close } = await endpoints();
    for (const [name, url] of urls) {
      const { sandbox, cuenv } = machine(undefined, undefined, url);
      const run = await cuenv(["task", "build"], { CUENV_REMOTE_CACHE_TIMEOUT: "2" });
      expect(run, run.stderr).toMatchObject({ code: 0, stdout: "built\n" });
      expect(warnings(run), name).toHaveLength(1);
      expect(warnings(run)[0], name).toContain("the build goes on without the remote cache");
      const again = await cuenv(["task", "build"], { CUENV_REMOTE_CACHE_TIMEOUT: "2" });
      expect(again, again.stderr).toMatchObject({ code: 0, stdout: "built\n" });
      expect(warnings(again), name).toEqual([]);
      expect(sandbox.count("../runs")).toBe(1);
    }
    close();
  });

  it("row 13: a run of many tasks waits for a silent one but once", async () => {
    const { urls, close } = await endpoints();
    const many = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [
        `t${index}`,
        { command: "true", inputs: [], cacheKey: `${index}` },
      ]),
    );
    const { cuenv } = machine({ tasks: many }, undefined, urls[1][1]);
    const started = performance.now();
    const run = await cuenv(["task", "t*", "--jobs", "4"], { CUENV_REMOTE_CACHE_TIMEOUT: "3" });
    const tookMs = performance.now() - started;
    expect(run.code, run.stderr).toBe(0);
    expect(warnings(run)).toHaveLength(1);
    // Twenty timeouts, four at a time, would be fifteen seconds.
    expect(tookMs).toBeLessThan(14_000);
    close();
  });

  it.each([
    ["resets connections", { reset: true }],
    ["breaks off", { cutAfterBytes: 200_000 }],
    ["flips bits", { flipAtByte: 100_000 }],
    ["falls silent", { blackHole: true }],
    ["drips", { dripBytesPerSecond: 50_000 }],
  ] as const)(
    "row 42: one that %s gives a right result, and one warning at most",
    async (fault, faults) => {
      const { port } = new URL(serving.grpcUrl);
      const proxy = await startChaosProxy({ host: "127.0.0.1", port: Number(port) });
      const content = {
        tasks: {
          build: {
            ...counting("runs", "mkdir -p dist && seq 1 400000 > dist/out && echo built"),
            inputs: ["src"],
            outputs: ["dist"],
            cacheKey: `fault ${fault}`,
          },
        },
      };
      const one = machine(content, undefined);
      await one.cuenv(["task", "build"]);
      const expected = one.sandbox.read("dist/out");
      proxy.faults = faults;
      const two = machine(content, one, `grpc://127.0.0.1:${proxy.port}`);
      const run = await two.cuenv(["task", "build"], { CUENV_REMOTE_CACHE_TIMEOUT: "2" });
      await proxy.close();
      expect(run, run.stderr).toMatchObject({ code: 0, stdout: "built\n" });
      expect(warnings(run).length, run.stderr).toBeLessThanOrEqual(1);
      expect(two.sandbox.read("dist/out")).toBe(expected);
    },
  );
});
