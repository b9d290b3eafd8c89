// `npm run test:fuzz`: 100,000 hostile calls at a gRPC server, where a usual test run makes 1,000. CUENV_FUZZ_SEED=… makes those again of which a
// failure told the seed; CUENV_FUZZ_CALLS=… another number.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { root } from "./workspace.mjs";

const vitest = join(root, "node_modules", ".bin", "vitest");
const file = "packages/server/src/reapi/fuzz.test.ts";
const { status } = spawnSync(vitest, ["run", "--test-timeout=3600000", file], {
  cwd: root,
  stdio: "inherit",
  env: { CUENV_FUZZ_CALLS: "100000", ...process.env },
});
process.exitCode = status ?? 1;
