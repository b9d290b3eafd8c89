import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { zstdCompressSync } from "node:zlib";

const cli = fileURLToPath(new URL("../../apps/cli", import.meta.url));
const cue = fileURLToPath(new URL("../../packages/cue", import.meta.url));
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Copies of the command for one run of the tests, which may take minutes in which somebody builds another one: `shipped`
 * as it is, and `warm`, which asks an evaluator that stays loaded instead of loading one. Both are paths of launchers.
 */
export async function makeTestCommands() {
  const folder = mkdtempSync(join(tmpdir(), "cuenv-command-"));
  // Some tests are run as another user.
  chmodSync(folder, 0o755);
  const shipped = copyCommand(join(folder, "shipped"));
  symlinkSync(join(cli, "node_modules"), join(folder, "shipped", "node_modules"));
  const warm = copyCommand(join(folder, "warm"));
  linkModulesButEvaluator(join(folder, "warm", "node_modules"));
  const socket = join(folder, "evaluator");
  const dist = join(folder, "warm", "dist");
  cpSync(here("evaluator-worker.mjs"), join(dist, "evaluator-worker.js"));
  cpSync(here("frames.mjs"), join(dist, "frames.mjs"));
  writeFileSync(join(dist, "evaluator-socket"), socket);
  const worker = join(folder, "shipped", "dist", "evaluator-worker.js");
  const artifact = join(cue, "artifact", evaluatorFile);
  const server = spawn(process.execPath, [here("evaluator-server.mjs"), socket, worker, artifact], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  await new Promise((resolve, reject) => {
    server.stdout.once("data", resolve);
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`the evaluator's server ended with ${code}`)));
  });
  return {
    shipped,
    warm,
    async remove() {
      server.removeAllListeners("exit");
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.stdin.end();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function copyCommand(target) {
  cpSync(join(cli, "dist"), join(target, "dist"), {
    recursive: true,
    filter: (source) => !source.endsWith(".map"),
  });
  cpSync(join(cli, "bin", "cuenv.js"), join(target, "bin", "cuenv.js"));
  cpSync(join(cli, "package.json"), join(target, "package.json"));
  return join(target, "bin", "cuenv.js");
}

const evaluatorFile = "evaluator.wasm.zst";

/** The command's dependencies, but for the evaluator, in whose place is an empty file: decompressing it takes 45 ms of CPU. */
function linkModulesButEvaluator(target) {
  const scope = "@cuenv";
  const linkAll = (from, to, ...except) => {
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from))
      if (!except.includes(name)) symlinkSync(join(from, name), join(to, name));
  };
  linkAll(join(cli, "node_modules"), target, scope);
  linkAll(join(cli, "node_modules", scope), join(target, scope), "cue");
  linkAll(cue, join(target, scope, "cue"), "artifact", "package.json");
  // By the file that is found, Node knows the package's folder: a link leads to the real one.
  cpSync(join(cue, "package.json"), join(target, scope, "cue", "package.json"));
  const artifacts = join(target, scope, "cue", "artifact");
  linkAll(join(cue, "artifact"), artifacts, evaluatorFile);
  writeFileSync(join(artifacts, evaluatorFile), zstdCompressSync(""));
}
