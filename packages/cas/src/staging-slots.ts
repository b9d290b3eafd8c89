import type { FileToStage } from "./stage-file.ts";

/** The memory that the thread of a run shares with those that stage files for it; plain data, so that it can be handed to a worker. */
export interface SharedSlots {
  readonly control: SharedArrayBuffer;
  readonly texts: SharedArrayBuffer;
}

/**
 * What a slot's files are: nobody's, waiting for a thread, being staged by one (the number of which is in the word, too), staged, or not staged by the thread that had
 * them. Whoever moves a slot on from `queued`, a thread to take its files or their owner to have them back, does so by compare-and-exchange, and has them then.
 */
export type SlotState =
  | { readonly kind: "free" | "queued" | "staged" | "failed" }
  | { readonly kind: "taken"; readonly thread: number };

const states = [
  { kind: "free" },
  { kind: "queued" },
  { kind: "staged" },
  { kind: "failed" },
] as const satisfies readonly SlotState[];
const [free, queued, staged, failed] = [0, 1, 2, 3] as const;
/** Thread 0 has this state, thread 1 the next one. */
const firstTaken = states.length;

const slotCount = 16;
const slotBytes = 32 * 1024;

// Words of `control`: how often something was queued, how many threads are ready, and for each slot its state, the length of its text, and whether it was called off.
const queuedCount = 0;
const readyCount = 1;
const stateAt = (slot: number): number => 2 + slot * 3;
const lengthAt = (slot: number): number => stateAt(slot) + 1;
const calledOffAt = (slot: number): number => stateAt(slot) + 2;

/** A few small lists of files to be staged, which several threads can put in, take out and watch without waiting for each other. */
export interface StagingSlots {
  readonly shared: SharedSlots;
  /** How many threads wait for files or stage them. */
  readonly ready: () => number;
  /** How many lists wait for a thread. */
  readonly waiting: () => number;
  /** Puts a list in, and wakes a thread. Undefined: no slot is free, or the list's text is too long for one. */
  readonly queue: (files: readonly FileToStage[]) => number | undefined;
  readonly state: (slot: number) => SlotState;
  /** Takes a list out that no thread has taken yet; false: one has. */
  readonly takeBack: (slot: number) => boolean;
  /** Nobody needs the list any more: a thread that has it may give it up. */
  readonly callOff: (slot: number) => void;
  readonly isCalledOff: (slot: number) => boolean;
  /** Whoever queued the list has seen what became of it. */
  readonly release: (slot: number) => void;
  /** Of a thread: announces it, or says that it ends. */
  readonly announce: (isReady: boolean) => void;
  /** Of a thread: the next list, which is this thread's then. Undefined: none came for so long. */
  readonly take: (
    thread: number,
    timeoutMs: number,
  ) => { readonly slot: number; readonly files: readonly FileToStage[] } | undefined;
  /** Of a thread: whether all files of a list that it took are in their places. */
  readonly finish: (slot: number, isStaged: boolean) => void;
}

/** @param shared of the slots that another thread made; undefined: new ones */
export function openStagingSlots(shared: SharedSlots = newMemory()): StagingSlots {
  const words = new Int32Array(shared.control);
  const texts = Buffer.from(shared.texts);
  const slots = Array.from({ length: slotCount }, (_, slot) => slot);
  let next = 0;

  const takeQueued = (thread: number): number | undefined => {
    for (let distance = 0; distance < slotCount; distance += 1) {
      const slot = (next + distance) % slotCount;
      if (Atomics.compareExchange(words, stateAt(slot), queued, firstTaken + thread) !== queued)
        continue;
      next = slot + 1;
      return slot;
    }
    return undefined;
  };

  return {
    shared,
    ready: () => Atomics.load(words, readyCount),
    waiting: () => slots.filter((slot) => Atomics.load(words, stateAt(slot)) === queued).length,
    queue: (files) => {
      const slot = slots.find((each) => Atomics.load(words, stateAt(each)) === free);
      if (slot === undefined) return undefined;
      const text = encodeFiles(files);
      if (Buffer.byteLength(text) > slotBytes) return undefined;
      words[lengthAt(slot)] = texts.write(text, slot * slotBytes, slotBytes);
      Atomics.store(words, calledOffAt(slot), 0);
      Atomics.store(words, stateAt(slot), queued);
      Atomics.add(words, queuedCount, 1);
      Atomics.notify(words, queuedCount, 1);
      return slot;
    },
    state: (slot) => {
      const word = Atomics.load(words, stateAt(slot));
      return states[word] ?? { kind: "taken", thread: word - firstTaken };
    },
    takeBack: (slot) => Atomics.compareExchange(words, stateAt(slot), queued, free) === queued,
    callOff: (slot) => {
      Atomics.store(words, calledOffAt(slot), 1);
    },
    isCalledOff: (slot) => Atomics.load(words, calledOffAt(slot)) !== 0,
    release: (slot) => {
      Atomics.store(words, stateAt(slot), free);
    },
    announce: (isReady) => {
      Atomics.add(words, readyCount, isReady ? 1 : -1);
    },
    take: (thread, timeoutMs) => {
      for (;;) {
        const seen = Atomics.load(words, queuedCount);
        const slot = takeQueued(thread);
        if (slot !== undefined) {
          const start = slot * slotBytes;
          const length = words[lengthAt(slot)] ?? 0;
          return { slot, files: decodeFiles(texts.toString("utf8", start, start + length)) };
        }
        if (Atomics.wait(words, queuedCount, seen, timeoutMs) === "timed-out") return undefined;
      }
    },
    finish: (slot, isStaged) => {
      Atomics.store(words, stateAt(slot), isStaged ? staged : failed);
    },
  };
}

function newMemory(): SharedSlots {
  return {
    control: new SharedArrayBuffer(4 * stateAt(slotCount)),
    texts: new SharedArrayBuffer(slotCount * slotBytes),
  };
}

type Row = readonly [hash: string, sizeBytes: number, executable: boolean, target: string];

function encodeFiles(files: readonly FileToStage[]): string {
  return JSON.stringify(
    files.map(({ entry: { digest, executable }, target }): Row => {
      return [digest.hash, digest.sizeBytes, executable, target];
    }),
  );
}

function decodeFiles(text: string): readonly FileToStage[] {
  return (JSON.parse(text) as readonly Row[]).map(([hash, sizeBytes, executable, target]) => ({
    entry: { kind: "file", path: target, digest: { hash, sizeBytes }, executable },
    target,
  }));
}
