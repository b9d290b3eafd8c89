// `npm run test:mutation [signer|key|restore|explain …]`: how many changes to the code the tests notice (Stryker), at least 85 % of them. Runs in a
// copy of the packages, since Stryker changes the files in place; reports land in .cache/mutation. CUENV_MUTATION_JOBS=2 uses two processors.
// While writing tests: `key:select-inputs,input-set` changes these files only, and `--again` tries only what a change of code or tests can have
// altered since the last run.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import process from "node:process";
import { root } from "./workspace.mjs";

const again = process.argv.includes("--again");
const asked = process.argv.slice(2).filter((argument) => argument !== "--again");
const scopes = asked.length > 0 ? asked : ["signer", "key", "restore"];
const reports = join(root, ".cache", "mutation");
mkdirSync(reports, { recursive: true });
const copy = mkdtempSync(join(tmpdir(), "cuenv-mutation-"));
// Some tests run as another user.
chmodSync(copy, 0o755);
try {
  makeCopy();
  for (const wish of scopes) {
    const [scope, files = ""] = wish.split(":");
    const { status } = spawnSync(join(root, "node_modules", ".bin", "stryker"), ["run"], {
      cwd: copy,
      stdio: "inherit",
      env: {
        ...process.env,
        CUENV_MUTATE: scope,
        CUENV_MUTATE_FILES: files,
        CUENV_MUTATION_RESULTS: again ? join(reports, `results-${scope}.json`) : "",
      },
    });
    if (status !== 0) process.exitCode = 1;
    const report = join(copy, `mutation-${scope}.json`);
    if (existsSync(report)) cpSync(report, join(reports, `${scope}.json`));
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/** Links in node_modules are relative: those to other packages stay in the copy, those to the store lead through one link out of it. */
function makeCopy() {
  const passed = (path) =>
    ["dist", ".cache"].every((name) => !path.endsWith(`${sep}${name}`)) &&
    !path.endsWith(`cue${sep}artifact`);
  cpSync(join(root, "packages"), join(copy, "packages"), {
    recursive: true,
    verbatimSymlinks: true,
    filter: passed,
  });
  for (const file of [
    "package.json",
    "tsconfig.base.json",
    "tsconfig.test-base.json",
    "tsconfig.json",
    "vitest.config.ts",
    "vitest.mutation.config.ts",
    "stryker.config.mjs",
  ])
    cpSync(join(root, file), join(copy, file));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
}
