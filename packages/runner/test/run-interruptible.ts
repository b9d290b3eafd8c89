import { writeFileSync } from "node:fs";
import { installSignalHandling, runProcess } from "../src/index.ts";

// Runs the shell script argv[2] with $1 = argv[3], as the command line does: a signal cancels, a second one kills.
// With a third argument it crashes instead, when that file's command has started.
const [, , script = "", file = "", crash = ""] = process.argv;
const controller = new AbortController();
installSignalHandling({
  onInterrupt(interruption) {
    controller.abort(interruption);
  },
});
const environment = Object.fromEntries(
  Object.entries(process.env).map(([name, value]) => [name, value ?? ""]),
);
const running = runProcess({
  argv: ["sh", "-c", script, "sh", file],
  cwd: process.cwd(),
  env: environment,
  stdin: "ignore",
  stdout: () => undefined,
  stderr: () => undefined,
  graceMs: 60_000,
  signal: controller.signal,
});
if (crash !== "")
  setTimeout(() => {
    throw new Error("crash");
  }, Number(crash));
const outcome = await running;
writeFileSync(`${file}.outcome`, outcome.status);
process.exitCode = outcome.exitCode;
