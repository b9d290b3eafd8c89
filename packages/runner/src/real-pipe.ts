import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** Both ends of a pipe; the write end is to be closed here once the child has it. */
export interface RealPipe {
  readonly readable: Readable;
  readonly writeDescriptor: number;
}

interface Ends {
  readonly readDescriptor: number;
  readonly writeDescriptor: number;
}

/** Pipes that are open already, four descriptors for each task to come. */
const ready: Ends[] = [];
/** One start of mkfifo takes 2.5 ms, one more pipe 0.15 ms: little for a single task, little per task for many. */
let batch = 4;
const largestBatch = 16;
let isUnavailable = false;

/**
 * What Node makes for `stdio: "pipe"` is a pair of sockets, and commands notice: a script that writes to /dev/stderr
 * fails ("No such device or address"). Node has no way to a pipe but through a named one, which is unlinked as soon as
 * both ends are open.
 * @returns undefined where none can be made (no mkfifo, no temporary folder, no descriptors left): sockets must do then
 */
export function openRealPipe(): RealPipe | undefined {
  if (ready.length === 0 && !isUnavailable) refill();
  const ends = ready.pop();
  if (ends === undefined) return undefined;
  const { Socket } = process.getBuiltinModule("node:net");
  return {
    readable: new Socket({ fd: ends.readDescriptor, readable: true, writable: false }),
    writeDescriptor: ends.writeDescriptor,
  };
}

function refill(): void {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), "cuenv-pipe-"));
    const paths = Array.from({ length: batch }, (_, index) => `${folder}/${index}`);
    const { spawnSync } = process.getBuiltinModule("node:child_process");
    spawnSync("mkfifo", ["-m", "600", ...paths], { stdio: "ignore" });
    for (const path of paths) ready.push(openBoth(path));
    batch = largestBatch;
  } catch {
    isUnavailable = ready.length === 0;
  } finally {
    if (folder !== undefined) removeQuietly(folder);
  }
}

/** Removing needs a descriptor, and there may be none left. What stays is a folder of FIFOs in TMPDIR; the task runs. */
function removeQuietly(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    isUnavailable = true;
  }
}

/** The read end first, and without waiting for a writer; then the write end finds its reader, and blocks when full, as a shell's does. */
function openBoth(path: string): Ends {
  const readDescriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { readDescriptor, writeDescriptor: openSync(path, constants.O_WRONLY) };
  } catch (error) {
    closeSync(readDescriptor);
    throw error;
  }
}
