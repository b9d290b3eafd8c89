import { spawn } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../../apps/cli", import.meta.url));
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
  const warm = copyCommand(join(folder, "warm"));
  const socket = join(folder, "evaluator");
  const dist = join(folder, "warm", "dist");
  cpSync(here("evaluator-worker.mjs"), join(dist, "evaluator-worker.js"));
  cpSync(here("frames.mjs"), join(dist, "frames.mjs"));
  writeFileSync(join(dist, "evaluator-socket"), socket);
  const worker = join(folder, "shipped", "dist", "evaluator-worker.js");
  const server = spawn(process.execPath, [here("evaluator-server.mjs"), socket, worker], {
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
  symlinkSync(join(cli, "node_modules"), join(target, "node_modules"));
  return join(target, "bin", "cuenv.js");
}
