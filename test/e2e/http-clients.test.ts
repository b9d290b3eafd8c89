import { spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isLacking, lackOf, sccacheProgram } from "./client-programs.ts";
import { pnpmProgram } from "./pnpm-program.ts";
import { plainEnvironment, runProgram, temporaryFolder } from "./sandbox.ts";
import { type Serving, startServing } from "./serving.ts";

// Gradle and Bazel start a JVM each time.
const slow = { timeout: 240_000 };
const token = "the-token";

let serving: Serving;
beforeAll(async () => {
  serving = await startServing({ CUENV_SERVER_TOKEN: token });
});
afterAll(() => serving.stop());

function write(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

function address(protocol: string): string {
  return serving.protocols[protocol] ?? "";
}

/** The same with a token as the password in the URL. */
function addressWith(protocol: string, password: string): string {
  return address(protocol).replace("://", `://cuenv:${password}@`);
}

describe.skipIf(isLacking("ccache"))(`ccache and cuenv serve${lackOf("ccache")}`, () => {
  const source = (text: string): string =>
    write({ "a.c": `const char *f(void){return "${text}";}\n` });

  /** Compiles as a machine that has nothing but the server, and says what ccache counted. */
  async function compile(cwd: string, storage: string) {
    const env = {
      ...plainEnvironment(temporaryFolder()),
      CCACHE_DIR: temporaryFolder(),
      CCACHE_REMOTE_STORAGE: storage,
    };
    const run = (program: string, args: readonly string[]) =>
      runProgram(program, args, { cwd, env });
    const compiled = await run("ccache", ["gcc", "-c", "a.c", "-o", "a.o"]);
    expect(compiled, compiled.stderr).toMatchObject({ code: 0, stderr: "" });
    const { stdout } = await run("ccache", ["--print-stats"]);
    const count = (name: string) => Number(new RegExp(`^${name}\\t(\\d+)$`, "m").exec(stdout)?.[1]);
    return {
      object: readFileSync(join(cwd, "a.o")),
      hits: count("remote_storage_hit"),
      misses: count("cache_miss"),
    };
  }

  it.each(["subdirs", "flat", "bazel"])(
    "finds elsewhere what was compiled once, layout %s",
    async (layout) => {
      const cwd = source(layout);
      const storage = `${address("ccache")}|layout=${layout}|bearer-token=${token}`;
      const first = await compile(cwd, storage);
      expect(first).toMatchObject({ hits: 0, misses: 1 });
      expect(await compile(cwd, storage)).toEqual({ object: first.object, hits: 1, misses: 0 });
    },
  );

  it("takes its token from the URL, and compiles on when the server does not know it", async () => {
    const cwd = source("basic");
    await compile(cwd, addressWith("ccache", token));
    expect(await compile(cwd, addressWith("ccache", token))).toMatchObject({ hits: 1 });
    expect(await compile(cwd, addressWith("ccache", "wrong"))).toMatchObject({
      hits: 0,
      misses: 1,
    });
  });
});

describe.skipIf(isLacking("sccache"))(`sccache and cuenv serve${lackOf("sccache")}`, () => {
  function freePort(): Promise<number> {
    return new Promise((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        const { port } = server.address() as { readonly port: number };
        server.close(() => resolve(port));
      });
    });
  }

  function isListening(port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("error", () => resolve(false));
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
    });
  }

  /** Compiles as a machine that has nothing but the server: one sccache server, one file. */
  async function compile(
    cwd: string,
  ): Promise<{ readonly hits: unknown; readonly writes: unknown }> {
    const port = await freePort();
    const env = {
      ...plainEnvironment(temporaryFolder()),
      SCCACHE_WEBDAV_ENDPOINT: address("sccache"),
      SCCACHE_WEBDAV_TOKEN: token,
      SCCACHE_SERVER_PORT: String(port),
    };
    const run = (args: readonly string[]) => runProgram(sccacheProgram, args, { cwd, env });
    // In the foreground: a server that sccache starts by itself would outlive a failed test.
    const server = spawn(sccacheProgram, [], {
      cwd,
      env: { ...env, SCCACHE_START_SERVER: "1", SCCACHE_NO_DAEMON: "1" },
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => server.once("close", resolve));
    try {
      await expect.poll(() => isListening(port), { timeout: 20_000 }).toBe(true);
      const compiled = await run(["gcc", "-c", "a.c", "-o", "a.o"]);
      expect(compiled.code, compiled.stderr).toBe(0);
      const stats = async () => {
        const { stdout } = await run(["--show-stats", "--stats-format=json"]);
        return (JSON.parse(stdout) as { readonly stats: SccacheStats }).stats;
      };
      // What was compiled is written after its compiler ended.
      const settled = async () => {
        const { cache_hits: hits, cache_writes: writes } = await stats();
        return Object.keys(hits.counts).length + writes;
      };
      await expect.poll(settled, { timeout: 20_000 }).toBe(1);
      const { cache_hits: hits, cache_writes: writes } = await stats();
      return { hits: hits.counts["C/C++"] ?? 0, writes };
    } finally {
      server.kill();
      await ended;
    }
  }

  interface SccacheStats {
    readonly cache_hits: { readonly counts: Readonly<Record<string, number>> };
    readonly cache_writes: number;
  }

  it("writes over WebDAV and finds elsewhere what was compiled once", slow, async () => {
    const cwd = write({ "a.c": "int answer(void){return 42;}\n" });
    expect(await compile(cwd)).toEqual({ hits: 0, writes: 1 });
    const object = readFileSync(join(cwd, "a.o"));
    rmSync(join(cwd, "a.o"));
    expect(await compile(cwd)).toEqual({ hits: 1, writes: 0 });
    expect(readFileSync(join(cwd, "a.o")).equals(object)).toBe(true);
  });
});

describe.skipIf(isLacking("Gradle"))(`Gradle and cuenv serve${lackOf("Gradle")}`, () => {
  const settings = (password: string): string => `
buildCache {
  local { enabled = false }
  remote(HttpBuildCache) {
    url = '${address("gradle")}'
    push = true
    if (delegate.hasProperty('allowInsecureProtocol')) allowInsecureProtocol = true
    credentials { username = 'cuenv'; password = '${password}' }
  }
}
`;
  const build = `
tasks.create('shout') {
  inputs.file('in.txt').withPathSensitivity(PathSensitivity.RELATIVE)
  outputs.dir 'out'
  outputs.cacheIf { true }
  doLast { file('out/out.txt').text = file('in.txt').text.toUpperCase() }
}
`;

  /** Builds as a machine that has nothing but the server. */
  async function run(password: string) {
    const files = {
      "settings.gradle": settings(password),
      "build.gradle": build,
      "in.txt": "hello",
    };
    const cwd = write(files);
    const home = temporaryFolder();
    const args = ["--no-daemon", "--build-cache", "--console=plain", "-g", home, "shout"];
    const env = plainEnvironment(home);
    const outcome = await runProgram("gradle", args, { cwd, env });
    expect(outcome.code, outcome.stdout + outcome.stderr).toBe(0);
    expect(readFileSync(join(cwd, "out/out.txt"), "utf8")).toBe("HELLO");
    return outcome;
  }

  it(
    "takes from the cache elsewhere what was built once, and builds on when its token is not known",
    slow,
    async () => {
      expect((await run(token)).stdout).not.toContain("FROM-CACHE");
      expect((await run(token)).stdout).toContain(":shout FROM-CACHE");
      const stranger = await run("wrong");
      expect(stranger.stdout).not.toContain("FROM-CACHE");
      expect(stranger.stdout + stranger.stderr).toMatch(/401|[Rr]emote build cache.*disabled/);
    },
  );
});

describe.skipIf(isLacking("Bazel"))(`Bazel and cuenv serve${lackOf("Bazel")}`, () => {
  const cwd = () =>
    write({
      WORKSPACE: "",
      BUILD: `
genrule(name = "one", srcs = ["in.txt"], outs = ["one.txt"], cmd = "cat $(SRCS) > $@; echo made one")
genrule(name = "two", srcs = [":one"], outs = ["two.txt"], cmd = "cat $(SRCS) $(SRCS) > $@")
`,
      "in.txt": `${Math.random()}\n`,
    });

  /** Builds as a machine that has nothing but the server. */
  async function build(root: string, password: string, instance = "") {
    const outputs = temporaryFolder();
    const args = [
      "--batch",
      "--nohome_rc",
      `--output_user_root=${outputs}`,
      "build",
      `--remote_cache=${address("bazel")}${instance}`,
      `--remote_header=Authorization=Bearer ${password}`,
      "//:two",
    ];
    const env = plainEnvironment(temporaryFolder());
    const { code, stderr } = await runProgram("bazel", args, { cwd: root, env });
    expect(code, stderr).toBe(0);
    const built = readFileSync(join(root, "bazel-bin/two.txt"), "utf8");
    // It makes its folders read-only.
    spawnSync("chmod", ["-R", "u+w", outputs]);
    return { built, hits: Number(/(\d+) remote cache hit/.exec(stderr)?.[1] ?? 0), stderr };
  }

  it(
    "finds elsewhere what was built once, by instance, and builds on when its token is not known",
    slow,
    async () => {
      const root = cwd();
      const first = await build(root, token, "/team/a");
      expect(first.hits).toBe(0);
      expect(first.built).toBe(readFileSync(join(root, "in.txt"), "utf8").repeat(2));
      expect(await build(root, token, "/team/a")).toMatchObject({ hits: 2, built: first.built });
      expect((await build(root, token)).hits).toBe(0);
      const stranger = await build(root, "wrong", "/team/a");
      expect(stranger).toMatchObject({ hits: 0, built: first.built });
      expect(stranger.stderr).toContain("WARNING");
    },
  );
});

describe("pnpm 12 and cuenv serve", () => {
  const publicKey = { type: "spki", format: "der" } as const;
  const privateKey = { type: "pkcs8", format: "der" } as const;
  const keys = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: publicKey,
    privateKeyEncoding: privateKey,
  });

  /** Runs the pipeline of a workspace as a machine that has nothing but the server. */
  async function run(cwd: string, password: string) {
    const config = {
      remoteCache: {
        url: address("pnpm"),
        team: "acme",
        org: "acme",
        publish: true,
        keyId: "ci",
        builderId: "ci",
        privateKey: keys.privateKey.toString("base64"),
        trustedKeys: { ci: keys.publicKey.toString("base64") },
      },
    };
    const host = address("pnpm").replace("http:", "");
    const home = write({
      ".config/pnpm/config.yaml": JSON.stringify(config),
      ".npmrc": `${host}/:_authToken=${password}\n`,
    });
    const pnpm = (args: readonly string[]) =>
      runProgram(pnpmProgram(), args, { cwd, env: plainEnvironment(home) });
    await pnpm(["install", "--offline"]);
    const { code, stdout, stderr } = await pnpm(["pipeline", "--full"]);
    expect(code, stdout + stderr).toBe(0);
    return stdout + stderr;
  }

  it(
    "restores elsewhere what was built once, and runs on when its token is not known",
    slow,
    async () => {
      const root = write({
        "package.json": JSON.stringify({ name: "root", private: true }),
        "pnpm-workspace.yaml": JSON.stringify({
          packages: ["packages/*"],
          tasks: { build: { inputs: ["in.txt"], outputs: ["dist/**"], cache: true } },
          pipelines: { default: ["build"] },
        }),
        "packages/a/package.json": JSON.stringify({
          name: "a",
          version: "1.0.0",
          scripts: { build: "mkdir -p dist && cat in.txt > dist/out.txt && echo x >> ../../runs" },
        }),
        "packages/a/in.txt": "hello\n",
        ".gitignore": "node_modules\ndist\nruns\n",
      });
      // It only takes files that git tracks for inputs.
      for (const args of [
        ["init", "-q"],
        ["add", "-A"],
      ])
        spawnSync("git", args, { cwd: root });
      const runs = () => readFileSync(join(root, "runs"), "utf8");
      const output = join(root, "packages/a/dist/out.txt");
      expect(await run(root, token)).toContain("0 from cache");
      expect(runs()).toBe("x\n");
      rmSync(dirname(output), { recursive: true });
      expect(await run(root, token)).toContain("1 from cache");
      expect(runs()).toBe("x\n");
      expect(readFileSync(output, "utf8")).toBe("hello\n");
      rmSync(dirname(output), { recursive: true });
      expect(await run(root, "wrong")).toMatch(/401[^]*0 from cache/);
      expect(runs()).toBe("x\nx\n");
    },
  );
});
