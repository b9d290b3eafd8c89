// Holds docs/errors.md, the table of codes and the code that raises them together. `--write` makes the page.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { errorTable, exitCodes } from "../packages/errors/src/error-table.ts";
import { filesBelow, report, root } from "./workspace.mjs";

const page = join(root, "docs", "errors.md");
const codes = Object.keys(errorTable);
const wanted = render();

if (process.argv.includes("--write")) writeFileSync(page, wanted);
else report([...pageProblems(), ...unusedCodes()]);

function render() {
  const rows = codes.map((code) => {
    const { exit, meaning } = errorTable[code];
    return `| \`${code}\` | ${exitCodes[exit]} | ${meaning} |`;
  });
  const named = Object.entries(exitCodes).map(
    ([name, code]) => `| ${code} | ${exitMeaning(name)} |`,
  );
  return `# Errors and exit codes

<!-- Made by \`node tools/check-errors.mjs --write\` from packages/errors/src/error-table.ts; a check holds them together. -->

Every error of cuenv says what it could not do, what it found, and what to do about it, and carries one of the
codes below. \`cuenv … --json\` gives the code in the field \`code\`.

## Exit codes

A task's own exit code is passed through; a task ended by signal n gives 128 + n (Ctrl-C: 130). Where there is
no task's code to pass on:

| Exit code | When |
|---|---|
| 0 | Everything asked for succeeded. |
${named.join("\n")}

## Codes

| Code | Exit code | What happened |
|---|---|---|
${rows.join("\n")}
`;
}

/** The comment that stands above the exit code in the source. */
function exitMeaning(name) {
  const source = readFileSync(join(root, "packages/errors/src/error-table.ts"), "utf8");
  const found = new RegExp(String.raw`/\*\* ([^*]*) \*/\s*${name}:`).exec(source);
  if (found === null) throw new Error(`exit code ${name} has no comment that says when it is used`);
  return found[1];
}

function pageProblems() {
  let present;
  try {
    present = readFileSync(page, "utf8");
  } catch {
    present = "";
  }
  if (present === wanted) return [];
  const documented = new Set(
    [...present.matchAll(/^\| `([A-Z0-9_]+)`/gm)].map((match) => match[1]),
  );
  const missing = codes
    .filter((code) => !documented.has(code))
    .map((code) => `${code}: not in docs/errors.md`);
  const gone = [...documented]
    .filter((code) => !codes.includes(code))
    .map((code) => `${code}: in docs/errors.md, but not in the table of codes`);
  return [
    ...missing,
    ...gone,
    "docs/errors.md differs from the table; run node tools/check-errors.mjs --write",
  ];
}

/** A code that nothing raises documents something that cannot happen. */
function unusedCodes() {
  const text = ["packages", "apps"]
    .flatMap((folder) => filesBelow(folder, isSource))
    .map((file) => readFileSync(join(root, file), "utf8"))
    .join("\n");
  return codes
    .filter((code) => !text.includes(`"${code}"`))
    .map((code) => `${code}: in the table of codes, but nothing raises it`);
}

function isSource(name) {
  return name.endsWith(".ts") && !name.endsWith(".test.ts") && name !== "error-table.ts";
}
