import { availableParallelism } from "node:os";
import { setTimeout } from "node:timers/promises";
import { SHARE_ENV, Worker } from "node:worker_threads";
import { removeQuietly } from "./atomic-write.ts";
import type { BlobStore, DiskStorePlace } from "./blob-store.ts";
import { hasRoomForThreads } from "./room-for-threads.ts";
import type { FileToStage } from "./stage-file.ts";
import { openStagingSlots, type SharedSlots, type StagingSlots } from "./staging-slots.ts";

/** What a thread is started with. */
export interface StagingSetup {
  /** Its number. */
  readonly thread: number;
  readonly slots: SharedSlots;
  readonly place: DiskStorePlace;
  /** It ends when nothing came for so long. */
  readonly idleMs: number;
}

/** Threads that stage files of a disk store beside the one that restores. Nothing depends on them: what none has taken, or one could not do, is staged by who offered it. */
export interface StagingThreads {
  /** Has a thread stage these. Undefined: all have enough to do, or there is none yet. */
  offer(files: readonly FileToStage[]): OfferedFiles | undefined;
  /** So much is to be staged in one restore. Whether it is worth offering; when it is a lot, with what was before it, threads are started. */
  expect(files: number, bytes: number): boolean;
  /** How many wait for files or stage them. */
  readonly ready: () => number;
}

export interface OfferedFiles {
  readonly files: readonly FileToStage[];
  /**
   * Waits while a thread stages them; not for one to begin with it. False: they are the caller's again, with nothing in their places. Once it
   * returns, no thread writes to them any more. May be asked again.
   * @param signal once aborted, nobody needs them: a thread in the middle of a large file gives it up
   */
  settle(signal?: AbortSignal): Promise<boolean>;
}

export interface StagingThreadsOptions {
  readonly place: DiskStorePlace;
  readonly maxThreads?: number;
  /** In the bytes that `expect` counts. */
  readonly firstThreadAt?: number;
  readonly idleMs?: number;
}

/** More than four are waited for by the one thread that restores. */
const maxThreads = 4;
const idleMs = 2000;
/**
 * From how much on there is a thread (8 MiB); each further one, when there is twice as much. A thread takes 15 ms of a processor to be there, and 12 MiB. With one, 400 MB take 0.6 to
 * 0.75 of the time on two processors, which the compiler's and the collector's threads share.
 */
const firstThreadAt = 8 * 1024 * 1024;
/** A smaller restore (4 MiB) is soon over: 58 MB of 200 tasks took 1.03 of the time with a thread, and a quarter more CPU. */
const smallestRestore = 4 * 1024 * 1024;
/** What making a file takes, in bytes that are read, hashed and written in that time. */
const bytesPerFile = 32 * 1024;
/** Lists that wait for a thread, for each: none of them has to wait itself then. */
const waitingPerThread = 2;
/** A list is staged in a millisecond, mostly; of a slow disk nobody asks so often. */
const turnsAtOnce = 32;

let counted: number | undefined;
/** Asked of the system once: it reads limits of control groups, which takes 25 microseconds. */
const processors = (): number => (counted ??= availableParallelism());

const threadsOf = new WeakMap<BlobStore, StagingThreads>();

/** Those that stage files of a store. Undefined: what it gives can be had in this thread only, or there is one processor. */
export function stagingThreads(store: BlobStore): StagingThreads | undefined {
  const { openedFrom: place } = store;
  if (place === undefined || processors() < 2) return undefined;
  let threads = threadsOf.get(store);
  if (threads === undefined) {
    threads = createStagingThreads({ place });
    threadsOf.set(store, threads);
  }
  return threads;
}

export function createStagingThreads(options: StagingThreadsOptions): StagingThreads {
  const most = options.maxThreads ?? Math.min(maxThreads, Math.ceil(processors() / 2));
  const { firstThreadAt: first = firstThreadAt } = options;
  const running = new Map<number, Worker>();
  const lists = new Set<List>();
  let slots: StagingSlots | undefined;
  let started = 0;
  let weight = 0;
  let isBroken = false;

  const start = (): void => {
    isBroken ||= slots === undefined && !hasRoomForThreads();
    if (isBroken) return;
    slots ??= openStagingSlots();
    started += 1;
    const thread = started;
    const { place, idleMs: idle = idleMs } = options;
    try {
      const worker = startWorker({ thread, slots: slots.shared, place, idleMs: idle });
      running.set(thread, worker);
      worker.once("error", () => {
        isBroken = true;
      });
      worker.once("exit", () => {
        running.delete(thread);
        weight = 0;
      });
    } catch {
      isBroken = true;
    }
  };

  return {
    ready: () => slots?.ready() ?? 0,
    expect(files, bytes) {
      const own = bytes + files * bytesPerFile;
      if (own < Math.min(smallestRestore, first)) return false;
      weight += own;
      const wanted = weight < first ? 0 : 1 + Math.floor(Math.log2(weight / first));
      const missing = isBroken ? 0 : Math.min(wanted, most) - running.size;
      for (let count = 0; count < missing; count += 1) start();
      return true;
    },
    offer(files) {
      if (slots === undefined || isBroken) return undefined;
      for (const list of lists) if (list.hasEnded()) lists.delete(list);
      if (slots.waiting() >= slots.ready() * waitingPerThread) return undefined;
      const slot = slots.queue(files);
      if (slot === undefined) return undefined;
      const list = createList(files, slot, { slots, running });
      lists.add(list);
      return list;
    },
  };
}

function startWorker(workerData: StagingSetup): Worker {
  // Beside this file, be that source, compiled, or bundled with the worker as an entry of its own.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./staging-worker.${extension}`, import.meta.url), {
    workerData,
    // Some flags of the process, `--input-type`, no worker starts with; but sources find those of other packages by this one only.
    execArgv: extension === "ts" ? ["--conditions=@cuenv/source"] : [],
    env: SHARE_ENV,
    trackUnmanagedFds: false,
  });
  worker.unref();
  return worker;
}

/** As `setImmediate` of node:timers/promises, which looks at its options first. */
function othersTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

interface Crew {
  readonly slots: StagingSlots;
  /** By number. */
  readonly running: ReadonlyMap<number, Worker>;
}

interface List extends OfferedFiles {
  /** Whether a thread is done with it; then its slot is another list's. */
  readonly hasEnded: () => boolean;
}

function createList(files: readonly FileToStage[], slot: number, { slots, running }: Crew): List {
  let isStaged: boolean | undefined;
  const end = (staged: boolean): boolean => {
    slots.release(slot);
    isStaged = staged;
    if (!staged) for (const { target } of files) removeQuietly(target);
    return true;
  };
  const hasEnded = (): boolean => {
    if (isStaged !== undefined) return true;
    const state = slots.state(slot);
    if (state.kind === "staged") return end(true);
    return state.kind === "failed" || (state.kind === "taken" && !running.has(state.thread))
      ? end(false)
      : false;
  };
  return {
    files,
    hasEnded,
    async settle(signal) {
      for (let turns = 0; !hasEnded(); turns += 1) {
        if (signal?.aborted === true) slots.callOff(slot);
        if (turns > 0 && slots.takeBack(slot)) {
          isStaged = false;
          break;
        }
        // Whoever else has something to do does it, and a thread takes the files meanwhile.
        await (turns < turnsAtOnce ? othersTurn() : setTimeout(1));
      }
      return isStaged === true;
    },
  };
}
