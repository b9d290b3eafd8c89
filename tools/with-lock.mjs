import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs `work` while holding a lock file that names this process. A lock whose process is gone is taken
 * over; after `patienceMs` the work is done without the lock, which must therefore be for economy only.
 */
export async function withLock(file, patienceMs, work) {
  mkdirSync(dirname(file), { recursive: true });
  const deadline = Date.now() + patienceMs;
  let held = tryLock(file);
  while (!held && Date.now() < deadline) {
    if (ownerIsGone(file)) rmSync(file, { force: true });
    else await sleep(25);
    held = tryLock(file);
  }
  try {
    return await work();
  } finally {
    if (held) rmSync(file, { force: true });
  }
}

function tryLock(file) {
  try {
    const handle = openSync(file, "wx");
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function ownerIsGone(file) {
  let owner;
  try {
    owner = Number(readFileSync(file, "utf8"));
  } catch {
    return false; // released between the two calls
  }
  if (!Number.isInteger(owner) || owner <= 0) return false; // being written this moment
  return isGone(owner);
}

/** Whether no process has this number. */
export function isGone(pid) {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}
