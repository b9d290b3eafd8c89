import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bazelRemoteProgram, startBazelRemote } from "../../tools/bazel-remote.mjs";
import { isLacking, lackOf } from "./client-programs.ts";
import {
  counting,
  createSandbox,
  cue,
  plainEnvironment,
  runProgram,
  temporaryFolder,
} from "./sandbox.ts";
import { type Serving, startServing } from "./serving.ts";

const token = "the-token";

describe.skipIf(isLacking("Bazel"))(`Bazel over gRPC and cuenv serve${lackOf("Bazel")}`, () => {
  let serving: Serving;
  beforeAll(async () => {
    serving = await startServing({ CUENV_SERVER_TOKEN: token }, { flags: ["--verbose"] });
  });
  afterAll(() => serving.stop());

  const workspace = (text: string) => {
    const { root } = createSandbox({
      WORKSPACE: "",
      BUILD: `
genrule(name = "one", srcs = ["in.txt"], outs = ["one.txt"], cmd = "cat $(SRCS) > $@; echo made one")
genrule(name = "large", srcs = ["in.txt"], outs = ["large.bin"], cmd = "cat $(SRCS) > $@; head -c 9000000 /dev/zero >> $@")
genrule(name = "two", srcs = [":one", ":large"], outs = ["two.txt"], cmd = "cat $(location :one) $(location :one) > $@; wc -c < $(location :large) >> $@")
`,
      "in.txt": text,
    });
    return root;
  };

  /** Builds as a machine that has nothing but the server. */
  async function build(root: string, password: string, flags: readonly string[] = []) {
    const outputs = temporaryFolder();
    const args = [
      "--batch",
      "--nohome_rc",
      `--output_user_root=${outputs}`,
      "build",
      `--remote_cache=${serving.grpcUrl}`,
      `--remote_header=Authorization=Bearer ${password}`,
      ...flags,
      "//:two",
    ];
    const env = plainEnvironment(temporaryFolder());
    const { code, stderr } = await runProgram("bazel", args, { cwd: root, env });
    const made = join(root, "bazel-bin/two.txt");
    const built = existsSync(made) ? readFileSync(made, "utf8") : stderr;
    // It makes its folders read-only.
    spawnSync("chmod", ["-R", "u+w", outputs]);
    return { code, built, hits: Number(/(\d+) remote cache hit/.exec(stderr)?.[1] ?? 0), stderr };
  }

  // Each build starts a JVM.
  const slow = { timeout: 300_000 };

  it(
    "finds elsewhere what was built once, large files among it, also where it fetches only the top level",
    slow,
    async () => {
      const root = workspace(`${Math.random()}\n`);
      const first = await build(root, token, ["--remote_instance_name=team/a"]);
      expect(first).toMatchObject({ code: 0, hits: 0 });
      expect(first.built).toContain("9000");
      const before = serving.said().length;
      const again = await build(root, token, [
        "--remote_instance_name=team/a",
        "--experimental_remote_download_outputs=toplevel",
        "--experimental_inmemory_jdeps_files",
        "--experimental_inmemory_dotd_files",
      ]);
      expect(again).toMatchObject({ code: 0, hits: 3, built: first.built });
      const calls = serving.said().slice(before);
      expect(calls).toContain("GetCapabilities");
      expect(calls).not.toContain("UpdateActionResult");
    },
  );

  // It asks for capabilities before it builds, and is told.
  it("ends with our words when its token is not known", slow, async () => {
    const { code, stderr } = await build(workspace("x"), "wrong");
    expect(code).not.toBe(0);
    expect(stderr).toContain("UNAUTHENTICATED: a token is needed that this cache knows");
  });
});

const lack = (await bazelRemoteProgram()) === undefined;
const why = "bazel-remote was not built: node tools/bazel-remote.mjs";
if (lack) console.warn(`SKIPPED: tests of cuenv task with bazel-remote: ${why}`);

describe.skipIf(lack)(`cuenv task and bazel-remote${lack ? ` [SKIPPED: ${why}]` : ""}`, () => {
  it("row 37: sends what one machine made, and another has it", async () => {
    const server = await startBazelRemote();
    const files = {
      "env.cue": cue({
        tasks: {
          build: {
            ...counting(
              "runs",
              "mkdir -p dist/empty && seq 1 900000 > dist/large && ln -s large dist/link && echo built",
            ),
            inputs: ["src"],
            outputs: ["dist"],
          },
        },
      }),
      "src/in": "x",
    };
    const one = createSandbox(files);
    const two = createSandbox(files, { beside: one });
    const env = { CUENV_REMOTE_CACHE_ENDPOINT: `grpc://${server.address}` };
    const first = await one.cuenv(["task", "build"], { env });
    expect(first).toMatchObject({ code: 0, stdout: "built\n" });
    expect(first.stderr).not.toContain("warning");
    const elsewhere = { ...env, CUENV_CACHE_DIR: join(temporaryFolder(), "cache") };
    const second = await two.cuenv(["task", "build"], { env: elsewhere });
    expect(second, second.stderr).toMatchObject({ code: 0, stdout: "built\n" });
    expect(second.stderr).toContain(`hit from ${server.address}`);
    expect(two.count("../runs")).toBe(0);
    expect(two.read("dist/link")).toBe(one.read("dist/large"));
    expect(two.exists("dist/empty")).toBe(true);
    await server.stop();
  });
});
