// bazel-remote 2.6.2, the peer of our gRPC client and server, out of the Go module proxy as test/bench/grpc-load/go.mod pins it:
//   node tools/bazel-remote.mjs     builds it (two minutes of CPU the first time), where Go is
// As a module: where it is, and a server of it at free ports. Tests that want it say so and are skipped where it was not built.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { root } from "./workspace.mjs";

const patienceMs = 330_000;
const program = join(root, ".cache", "peers", "bazel-remote");

/**
 * Undefined where it was not built. In CI, which builds it beside the tests, it is waited for.
 * @returns {Promise<string | undefined>}
 */
export async function bazelRemoteProgram() {
  const isBuilding = () =>
    process.env.CUENV_CI_PEERS !== undefined && !existsSync(`${process.env.CUENV_CI_PEERS}.built`);
  const deadline = Date.now() + patienceMs;
  while (isBuilding() && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 200));
  return existsSync(program) ? program : undefined;
}

/** @throws {Error} without Go, or its proxy */
export function buildBazelRemote() {
  if (existsSync(program)) return program;
  mkdirSync(dirname(program), { recursive: true });
  const built = `${program}.${process.pid}`;
  const done = spawnSync("go", ["build", "-o", built, "github.com/buchgr/bazel-remote/v2"], {
    cwd: join(root, "test", "bench", "grpc-load"),
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (done.status !== 0)
    throw new Error(`cannot build bazel-remote: ${done.error?.message ?? `exit ${done.status}`}`);
  renameSync(built, program);
  return program;
}

/**
 * A server of it that keeps blobs as they are, in a folder of its own.
 * @returns {Promise<{address: string, stop: () => Promise<void>}>} host and port of gRPC
 */
export async function startBazelRemote() {
  const folder = mkdtempSync(join(tmpdir(), "bazel-remote-"));
  const port = await freePort();
  const flags = {
    dir: folder,
    max_size: "1",
    storage_mode: "uncompressed",
    grpc_address: `127.0.0.1:${port}`,
    http_address: `unix://${join(folder, "http")}`,
    access_log_level: "none",
    // Else results of one instance are those of all. (Our keys differ by namespace all the same: it is part of an Action.)
    enable_ac_key_instance_mangling: "true",
  };
  const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => (said = `${said}${chunk}`.slice(-4000)));
  const ended = new Promise((resolve) => child.once("close", resolve));
  for (let attempt = 0; !(await listens(port)); attempt += 1) {
    if (child.exitCode !== null || attempt > 300)
      throw new Error(`bazel-remote does not listen: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    address: `127.0.0.1:${port}`,
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** It takes no 0: one that is free now. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function listens(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${buildBazelRemote()}\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
