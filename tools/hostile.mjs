// `npm run test:hostile`: the tests that throw forged and hostile entries at cuenv, with the full numbers of reference/reliability.md (100,000
// manifests; forgeries are always 10,000). A usual test run takes fewer.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { root } from "./workspace.mjs";

const files = [
  "packages/cas/src/restore-outputs.hostile.test.ts",
  "packages/action-cache/src/hostile-payload.test.ts",
  "packages/action-cache/src/signed-entry.test.ts",
  "packages/signer/src/forgery.test.ts",
];
const vitest = join(root, "node_modules", ".bin", "vitest");
const { status } = spawnSync(vitest, ["run", ...files], {
  cwd: root,
  stdio: "inherit",
  env: { CUENV_HOSTILE_MANIFESTS: "100000", ...process.env },
});
process.exitCode = status ?? 1;
