import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";

interface Row {
  readonly scenario: string;
  readonly peer: string;
  readonly median: number;
}

const isFull = process.env["CUENV_FULL_SWEEP"] === "1";
if (!isFull)
  console.warn(
    "SKIPPED: the benchmark itself. CUENV_FULL_SWEEP=1 npm test -- test/bench tries it.",
  );

// How fast they are is for `npm run bench`; here, that each tool did in each scenario what its row claims.
describe("the benchmark", () => {
  it.runIf(isFull)(
    "row 43: measures every scenario on cuenv and turbo, whose outputs it checks, and what an uncached task costs",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "cuenv-bench-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const script = fileURLToPath(new URL("run.mjs", import.meta.url));
      const env = { ...process.env, NODE_OPTIONS: "", CUENV_BENCH_DIR: folder };
      const run = promisify(execFile);
      const { stdout } = await run(process.execPath, [script, "--quick", "--json"], { env });
      const { rows } = JSON.parse(stdout) as { rows: readonly Row[] };
      const measured = rows.filter((row) => row.median > 0);
      const of = (peer: string) =>
        measured.filter((row) => row.peer === peer).map((row) => row.scenario);
      const scenarios = ["warm, nothing to do", "outputs deleted", "one file changed", "cold"];
      const starts = [
        "cuenv --version",
        "one task that is not cached",
        "one task, CUENV_CACHE=off",
      ];
      expect(of("cuenv")).toEqual(expect.arrayContaining([...scenarios, ...starts]));
      expect(of("turbo")).toEqual(expect.arrayContaining(scenarios));
      expect(of("no cache")).toEqual(["cold, configuration evaluated", "cold"]);
    },
  );
});
