// Bundles apps/cli/src/main.ts and every workspace package it uses into apps/cli/dist.
// `node tools/build-cli.mjs` always builds and leaves nothing else in dist; `--if-stale` builds only when a
// source changed. `ensureBuilt()` is the latter as a function, for apps/cli/bin/cuenv-dev.js.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { builtStamp, sourceStamp } from "./source-stamp.mjs";
import { isGone, withLock } from "./with-lock.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const app = join(root, "apps", "cli");
const dist = join(app, "dist");
const stampFile = join(dist, ".built");
const scratch = join(root, ".cache");
const lockFile = join(scratch, "build-cli.lock");

/** A process that loaded an older main.js may still import that bundle's chunks; they stay for so long. */
const oldChunkGraceMs = 10 * 60_000;

/** @returns whether it had to build. */
export async function ensureBuilt() {
  if (builtStamp(stampFile) === sourceStamp(root)) return false;
  // Only for economy: two builds at once would both be right, since files are put in place by rename.
  return await withLock(lockFile, 30_000, async () => {
    if (builtStamp(stampFile) === sourceStamp(root)) return false;
    await build(oldChunkGraceMs);
    return true;
  });
}

/**
 * Bundles into a folder of its own, then moves the files: chunks (named by their content) first, main.js
 * next, the stamp last. So whoever starts meanwhile gets the old bundle or the new one, whole.
 */
async function build(graceMs) {
  // Taken before the sources are read: an edit during the build leaves the bundle stale, not wrong.
  const stamp = sourceStamp(root);
  const staging = join(scratch, `build-cli-${process.pid}`);
  const profile = join(scratch, `profile-cli-${process.pid}`);
  removeAbandoned(scratch);
  try {
    const { bundleCli } = await import("./bundle-cli.mjs");
    await bundleCli(
      app,
      staging,
      createHash("sha256").update(stamp).digest("hex").slice(0, 16),
      profile,
    );
    const files = readdirSync(staging);
    mkdirSync(dist, { recursive: true });
    const entriesLast = files.toSorted((left, right) => isEntry(left) - isEntry(right));
    for (const file of entriesLast) renameSync(join(staging, file), join(dist, file));
    writeFileSync(join(staging, ".built"), stamp);
    renameSync(join(staging, ".built"), stampFile);
    prune(new Set([...files, ".built"]), graceMs);
  } finally {
    for (const folder of [staging, profile]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes the folders of builds that were killed, among them one of an earlier process that had our number. */
export function removeAbandoned(folder) {
  for (const name of readdirSync(folder)) {
    const pid = Number(/^(?:build|profile)-cli-(\d+)$/.exec(name)?.[1]);
    if (pid === process.pid || (pid > 0 && isGone(pid)))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function isEntry(file) {
  return file === "main.js" || file.endsWith("-worker.js") ? 1 : 0;
}

function prune(current, graceMs) {
  for (const name of readdirSync(dist)) {
    const path = join(dist, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (!current.has(name) && age >= graceMs) rmSync(path, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync(join(app, "src", "main.ts"))) {
    process.stderr.write("apps/cli/src/main.ts: not there yet, so there is no command to build\n");
  } else {
    try {
      if (process.argv.includes("--if-stale")) await ensureBuilt();
      else await withLock(lockFile, 30_000, () => build(0));
    } catch (error) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    }
  }
}
