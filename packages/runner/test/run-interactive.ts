import { installSignalHandling, runProcess } from "../src/index.ts";

// Runs argv[3…] with our terminal, as the command line does for a single task; argv[2] is its timeout in milliseconds.
const environment = Object.fromEntries(
  Object.entries(process.env).map(([name, value]) => [name, value ?? ""]),
);
const controller = new AbortController();
installSignalHandling({
  onInterrupt(interruption) {
    controller.abort(interruption);
  },
});
const outcome = await runProcess({
  argv: process.argv.slice(3),
  cwd: process.cwd(),
  env: environment,
  stdin: "inherit",
  stdout: "inherit",
  stderr: "inherit",
  timeoutMs: Number(process.argv[2]),
  signal: controller.signal,
});
process.exitCode = outcome.exitCode;
