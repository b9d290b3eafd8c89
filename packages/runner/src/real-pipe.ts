import { closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { openSparePipes, removeFile, type SparePipes } from "./spare-pipes.ts";

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
/**
 * Starting mkfifo and waiting for it takes 5 ms, as long as this process is large (fork copies its page tables); each more pipe 0.15 ms.
 * A run of one task makes a few at once, and spare ones for the next runs; for a run of many, more are made beside it, before they are needed.
 */
const firstBatch = 4;
const laterBatch = 32;
const ofOneTask = 2;
let opened = 0;
let isRefilling = false;
let isUnavailable = false;
/** There were no descriptors left: from now on none are held for tasks to come. */
let isScarce = false;
let spareFolder: string | undefined;
let spare: SparePipes | undefined;

/** From now on, pipes that earlier runs left in this folder are used, and some are left for later ones. It is made, and looked at, when the first is needed. */
export function keepSparePipes(folder: string): void {
  spareFolder = folder;
}

function sparePipes(): SparePipes | undefined {
  if (spareFolder === undefined) return spare;
  spare = openSparePipes(spareFolder);
  spareFolder = undefined;
  return spare;
}

/**
 * What Node makes for `stdio: "pipe"` is a pair of sockets, and commands notice: a script that writes to /dev/stderr
 * fails ("No such device or address"). Node has no way to a pipe but through a named one, which is unlinked as soon as
 * both ends are open.
 * @returns undefined where none can be made (no mkfifo, no temporary folder, no descriptors left): sockets must do then
 */
export function openRealPipe(): RealPipe | undefined {
  opened += 1;
  if (ready.length === 0) openSpare();
  if (ready.length === 0 && !isUnavailable) refillNow();
  else if (
    !isScarce &&
    opened > ofOneTask &&
    ready.length + (sparePipes()?.left() ?? 0) <= firstBatch
  )
    refillBeside();
  const ends = ready.pop();
  if (ends === undefined) return undefined;
  const { Socket } = process.getBuiltinModule("node:net");
  return {
    readable: new Socket({ fd: ends.readDescriptor, readable: true, writable: false }),
    writeDescriptor: ends.writeDescriptor,
  };
}

function openSpare(): void {
  for (let path = sparePipes()?.take(); path !== undefined; path = sparePipes()?.take()) {
    try {
      ready.push(openBoth(path));
      return;
    } catch {
      // Somebody tidied it away, or there are no descriptors left.
    } finally {
      removeFile(path);
    }
  }
}

interface Batch {
  readonly folder: string;
  /** To be opened at once. */
  readonly paths: readonly string[];
  /** To be left. */
  readonly spare: readonly string[];
}

function newBatch(size: number): Batch {
  const folder = mkdtempSync(join(tmpdir(), "cuenv-pipe-"));
  const paths = Array.from({ length: size }, (_, index) => `${folder}/${index}`);
  return { folder, paths, spare: sparePipes()?.newPaths() ?? [] };
}

function takeUp({ folder, paths }: Batch): void {
  try {
    for (const path of paths) ready.push(openBoth(path));
  } catch {
    isUnavailable = ready.length === 0;
    isScarce = true;
    closeAll(ready.splice(ofOneTask));
  } finally {
    removeQuietly(folder);
  }
}

/** Gives back the descriptors that are held for tasks to come, for one that cannot be started without. False: none are. */
export function closeReadyPipes(): boolean {
  isScarce = true;
  const held = ready.splice(0);
  closeAll(held);
  return held.length > 0;
}

function closeAll(pipes: readonly Ends[]): void {
  for (const { readDescriptor, writeDescriptor } of pipes) {
    closeSync(readDescriptor);
    closeSync(writeDescriptor);
  }
}

function refillNow(): void {
  try {
    const batch = newBatch(isScarce ? ofOneTask : firstBatch);
    const { spawnSync } = process.getBuiltinModule("node:child_process");
    spawnSync("mkfifo", ["-m", "600", ...batch.paths, ...batch.spare], { stdio: "ignore" });
    takeUp(batch);
  } catch {
    isUnavailable = true;
  }
}

function refillBeside(): void {
  if (isRefilling || isUnavailable) return;
  try {
    const batch = newBatch(laterBatch);
    const { spawn } = process.getBuiltinModule("node:child_process");
    const child = spawn("mkfifo", ["-m", "600", ...batch.paths, ...batch.spare], {
      stdio: "ignore",
    });
    isRefilling = true;
    const finish = (): void => {
      isRefilling = false;
      takeUp(batch);
    };
    child.once("error", finish);
    child.once("exit", finish);
  } catch {
    // Whoever finds none left tries again, and waits.
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
    if (!fstatSync(readDescriptor).isFIFO()) throw new Error(`${path} is no pipe`);
    return { readDescriptor, writeDescriptor: openSync(path, constants.O_WRONLY) };
  } catch (error) {
    closeSync(readDescriptor);
    throw error;
  }
}
