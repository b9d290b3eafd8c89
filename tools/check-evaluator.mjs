// Rebuilds the CUE evaluator from its Go sources and compares it with the committed artifact, where Go is present.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./workspace.mjs";

const script = join(root, "packages", "cue", "build-evaluator.mjs");
const go = spawnSync("go", ["version"], { encoding: "utf8" });
if (!existsSync(script)) {
  process.stderr.write(
    "packages/cue/build-evaluator.mjs is not there: the evaluator was NOT compared\n",
  );
  process.exitCode = 77;
} else if (go.status !== 0) {
  process.stderr.write(
    "Go is not installed: the committed evaluator was NOT compared with its sources\n",
  );
  process.exitCode = 77;
} else {
  const run = spawnSync(process.execPath, [script, "--check"], { cwd: root, stdio: "inherit" });
  process.exitCode = run.status ?? 1;
}
