// `npm run check`: everything that is checked besides the tests, two at a time, each with its time; what a
// check prints is shown when it fails or was skipped. `node tools/check.mjs NAME…` runs only those (and what they need).
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const parallel = 2;
/** A check that lacks something of the machine's exits with this and says what (automake's convention). */
const skipped = 77;

/** Fails fastest first. `after`: needs what the other one makes, or would disturb it. */
const checks = [
  { name: "format", command: ["oxfmt", "--check"] },
  { name: "layers", command: ["node", "tools/check-layers.mjs"] },
  { name: "references", command: ["node", "tools/sync-packages.mjs", "--check"] },
  { name: "errors", command: ["node", "tools/check-errors.mjs"] },
  { name: "lint", command: ["oxlint"] },
  { name: "types", command: ["tsc", "-b"] },
  { name: "unused", command: ["knip", "--no-config-hints"] },
  { name: "bundle", command: ["node", "tools/check-bundle.mjs"] },
  { name: "changeset", command: ["node", "tools/check-changeset.mjs"] },
  { name: "docs", command: ["node", "tools/check-docs.mjs"], after: ["bundle"] },
  { name: "pack", command: ["node", "tools/check-pack.mjs"], after: ["types", "bundle"] },
  { name: "other-nodes", command: ["node", "tools/check-other-nodes.mjs"], after: ["bundle"] },
  { name: "evaluator", command: ["node", "tools/check-evaluator.mjs"], after: ["types"] },
];

const wanted = selection(process.argv.slice(2));
const results = new Map();
const started = performance.now();
await runAll(wanted);
const count = (state) => [...results.values()].filter((result) => result === state).length;
const summary = [`${count("ok")} checks passed`, `${count("failed")} failed`];
if (count("skipped") > 0) summary.push(`${count("skipped")} SKIPPED (said above)`);
process.stdout.write(`\n${summary.join(", ")}; ${seconds(started)}\n`);
if (count("failed") > 0) process.exitCode = 1;
const resultsFile = process.env.CUENV_CHECK_RESULTS;
if (resultsFile) {
  writeFileSync(resultsFile, JSON.stringify({ passed: count("ok"), failed: count("failed") }));
}

function selection(names) {
  const unknown = names.find((name) => !checks.some((check) => check.name === name));
  if (unknown !== undefined) {
    const known = checks.map((check) => check.name).join(", ");
    process.stderr.write(`cannot run check ${unknown}: there are only ${known}\n`);
    process.exit(2);
  }
  const needed = new Set(names);
  for (const name of needed) {
    for (const before of checks.find((check) => check.name === name).after ?? [])
      needed.add(before);
  }
  return checks.filter((check) => names.length === 0 || needed.has(check.name));
}

async function runAll(list) {
  const waiting = [...list];
  const running = new Set();
  while (waiting.length > 0 || running.size > 0) {
    const next = waiting.findIndex((check) =>
      (check.after ?? []).every((name) => results.has(name)),
    );
    if (next >= 0 && running.size < parallel) {
      const [check] = waiting.splice(next, 1);
      const run = runOne(check).finally(() => running.delete(run));
      running.add(run);
    } else {
      await Promise.race(running);
    }
  }
}

async function runOne({ name, command }) {
  const since = performance.now();
  const { code, output } = await capture(command);
  const state = code === 0 ? "ok" : code === skipped ? "skipped" : "failed";
  results.set(name, state);
  const look = { ok: ["green", "ok  "], failed: ["red", "FAIL"], skipped: ["yellow", "SKIP"] }[
    state
  ];
  const label = styleText(look[0], look[1], { stream: process.stdout });
  process.stdout.write(`${label}  ${name.padEnd(12)}${seconds(since).padStart(8)}\n`);
  if (state !== "ok") process.stdout.write(`${indent(output)}\n`);
}

function capture([program, ...args]) {
  return new Promise((done) => {
    // Some tools colour for CI even into a pipe.
    const env = process.stdout.isTTY ? process.env : { ...process.env, NO_COLOR: "1" };
    const child = spawn(program, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => done({ code: 127, output: `${program}: ${error.message}` }));
    child.on("close", (code, signal) => {
      const output = Buffer.concat(chunks).toString();
      done({ code: code ?? 1, output: signal ? `${output}\nended by ${signal}` : output });
    });
  });
}

function indent(text) {
  return text.trimEnd().replaceAll(/^/gm, "      ");
}

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
