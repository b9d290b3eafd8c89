// Prints the last lines of .ci/run, what was skipped and `N passed, N failed`, and fails unless everything ran and passed.
// Plain ES2020: it runs under the machine's own Node.
import { readFileSync } from "node:fs";
import process from "node:process";

const [testsFile, testsCode, checksFile, checksCode] = process.argv.slice(2);
const tests = read(testsFile);
const checks = read(checksFile);
let passed = 0;
let failed = 0;

if (tests === undefined) failed += 1;
else {
  passed += tests.numPassedTests;
  // A file that cannot be loaded has no tests that could fail, but it failed.
  const broken = tests.testResults.filter(
    (file) =>
      file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed"),
  );
  failed += tests.numFailedTests + broken.length;
  const reasons = skipReasons(tests);
  if (reasons.size > 0) console.log("SKIPPED for what this machine lacks:");
  for (const [reason, count] of reasons) console.log(`  ${reason} (${count})`);
}
if (checks === undefined) failed += 1;
else {
  passed += checks.passed;
  failed += checks.failed;
}
// A run that ended badly without a counted failure (an unhandled error, a crash) is a failure all the same.
if (failed === 0 && (Number(testsCode) !== 0 || Number(checksCode) !== 0)) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

/** Why tests were skipped, and how many: what their names say in `[SKIPPED: …]`, else the names themselves. */
function skipReasons({ testResults }) {
  const reasons = new Map();
  for (const { assertionResults } of testResults)
    for (const { status, fullName } of assertionResults) {
      if (status === "passed" || status === "failed") continue;
      const [, reason = fullName] = /\[SKIPPED: (.*?)\]/.exec(fullName) || [];
      reasons.set(reason, (reasons.get(reason) || 0) + 1);
    }
  return reasons;
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    console.error(`cannot read ${file}: ${error.message}`);
    return undefined;
  }
}
