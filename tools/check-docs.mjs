// Runs the examples of the documents, each section in a folder of its own:
//   ```cue            an env.cue; it must load (`cuenv task` lists its tasks)
//   ```LANG file=PATH a file beside it
//   ```sh run         is executed there, with `cuenv` on PATH; it must succeed, and print what a following
//                     ```text block says (… stands for any part of a line, or alone for any lines)
// ```cue fragment and plain ```sh are for reading only.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { makeTestCommands } from "../test/command/test-command.mjs";
import { ensureBuilt } from "./build-cli.mjs";
import { outputMatches, sectionsOf } from "./markdown-examples.mjs";
import { filesBelow, report, root } from "./workspace.mjs";

const documents = [
  "README.md",
  ...filesBelow("docs", (name) => name.endsWith(".md")),
  ...filesBelow("examples", (name) => name.endsWith(".md")),
].filter((file) => existsSync(join(root, file)));
let ran = 0;
let command = "";

if (existsSync(join(root, "apps", "cli", "src", "main.ts"))) {
  await ensureBuilt();
  const commands = await makeTestCommands();
  // Each section is a project of its own, and most of the time of its first run is the loading of an evaluator.
  command = commands.warm;
  report(documents.flatMap(documentProblems));
  await commands.remove();
  process.stdout.write(`${ran} examples of ${documents.length} documents ran\n`);
} else {
  process.stderr.write("apps/cli/src/main.ts is not there: NO example of the documents was run\n");
  process.exitCode = 77;
}

function documentProblems(file) {
  return sectionsOf(readFileSync(join(root, file), "utf8")).flatMap(({ examples }) => {
    if (!examples.some(isLive)) return [];
    const sandbox = mkdtempSync(join(tmpdir(), "cuenv-docs-"));
    try {
      return sectionProblems(file, examples, sandbox);
    } finally {
      // A server that an example ended may still write its last.
      rmSync(sandbox, { recursive: true, force: true, maxRetries: 20 });
    }
  });
}

function isLive({ language, words }) {
  return (
    words.includes("run") ||
    (language === "cue" && !words.includes("fragment")) ||
    fileOf({ words })
  );
}

function fileOf({ words }) {
  return words.find((word) => word.startsWith("file="))?.slice("file=".length);
}

/** The first problem ends a section: what follows builds on it. */
function sectionProblems(file, examples, sandbox) {
  const place = join(sandbox, "project");
  mkdirSync(place);
  const env = environment(sandbox);
  for (const example of examples) {
    const problem = exampleProblem(example, place, env);
    if (problem !== undefined) return [`${file}:${example.line}: ${problem}`];
  }
  return [];
}

function exampleProblem(example, place, env) {
  const target = fileOf(example) ?? (example.language === "cue" ? "env.cue" : undefined);
  if (!isLive(example)) return undefined;
  ran += 1;
  if (example.words.includes("run")) return runProblem(example, place, env);
  mkdirSync(dirname(join(place, target)), { recursive: true });
  writeFileSync(join(place, target), example.text);
  if (target !== "env.cue") return undefined;
  const list = spawnSync("cuenv", ["task"], { cwd: place, env, encoding: "utf8" });
  return list.status === 0 ? undefined : `does not load (exit ${list.status}):\n${list.stderr}`;
}

function runProblem(example, place, env) {
  const script = `set -e\nexec 2>&1\n${example.text}`;
  const run = spawnSync("sh", ["-c", script], {
    cwd: place,
    env,
    encoding: "utf8",
    timeout: 120_000,
  });
  if (run.status !== 0) return `exits with ${run.status ?? run.signal}:\n${run.stdout}`;
  if (example.output === undefined || outputMatches(example.output, run.stdout)) return undefined;
  return `prints something else than the document says:\n${run.stdout}`;
}

function environment(sandbox) {
  const bin = join(sandbox, "bin");
  const home = join(sandbox, "home");
  mkdirSync(bin);
  mkdirSync(home);
  const launcher = join(bin, "cuenv");
  writeFileSync(launcher, `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`);
  chmodSync(launcher, 0o755);
  const path = [bin, dirname(process.execPath), process.env.PATH].join(delimiter);
  return {
    PATH: path,
    HOME: home,
    LANG: "C.UTF-8",
    NO_COLOR: "1",
    CUENV_CACHE_DIR: join(sandbox, "cache"),
  };
}
