#!/usr/bin/env node
// What inferred targets run: the cuenv that @cuenv/nx depends on, found from here, since not every package manager puts it on the PATH.
//   cuenv-nx ARGS…             cuenv ARGS…
//   cuenv-nx refuse            fails, and says why: CUENV_NX_REFUSAL, percent-encoded; without it, another `env` has taken its place
//   cuenv-nx bridge PID FILE   listens for one run of Nx whose hooks are run by the daemon PID; FILE, with its address, goes with it
//   cuenv-nx variables GLOB…   the variables that match, for Nx' hash; a GLOB with ! leaves some out again
import process from "node:process";

const [, , command, ...args] = process.argv;
if (command === "variables") {
  const { matchingVariables } = await import("../dist/matching-variables.js");
  process.stdout.write(matchingVariables(process.env, args));
} else if (command === "refuse") {
  const said = process.env.CUENV_NX_REFUSAL;
  const replaced =
    'an "env" in the options of this target (targetDefaults of nx.json, project.json or package.json) takes the place of what env.cue says. Set the task\'s variables in env.cue, or name them in its envInclude, and take the "env" out';
  process.stderr.write(`error: ${said === undefined ? replaced : decodeURIComponent(said)}\n`);
  process.exitCode = 3;
} else if (command === "bridge") {
  const { runBridge } = await import("../dist/bridge/run-bridge.js");
  await runBridge(Number(args[0]), args[1]);
} else {
  const { cuenvLauncher } = await import("../dist/cuenv-command.js");
  const { pathToFileURL } = await import("node:url");
  const launcher = cuenvLauncher();
  process.argv[1] = launcher;
  await import(pathToFileURL(launcher).href);
}
