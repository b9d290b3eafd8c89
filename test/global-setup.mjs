import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ensureBuilt } from "../tools/build-cli.mjs";
import { makeTestCommands } from "./command/test-command.mjs";

/**
 * What the processes of the tests inherit. End-to-end tests run the bundle: it must be that of the sources, unless they are
 * told of another one. Everything that is a Node finds the code compiled that another one had compiled, a fifth of the
 * time of the unit tests.
 */
export async function setup() {
  const { env } = process;
  const compiled = mkdtempSync(join(tmpdir(), "cuenv-compiled-"));
  env["NODE_COMPILE_CACHE"] = compiled;
  const commands = env["CUENV_E2E_LAUNCHER"] === undefined ? await makeCommands() : undefined;
  return async () => {
    await commands?.remove();
    rmSync(compiled, { recursive: true, force: true });
  };
}

async function makeCommands() {
  await ensureBuilt();
  const commands = await makeTestCommands();
  process.env["CUENV_TEST_SHIPPED_LAUNCHER"] = commands.shipped;
  process.env["CUENV_TEST_WARM_LAUNCHER"] = commands.warm;
  return commands;
}
