import { workerData } from "node:worker_threads";
import { openCacheFolder } from "./cache-folder.ts";
import { createDiskBlobStore } from "./disk-blob-store.ts";
import { type FileToStage, stageFile } from "./stage-file.ts";
import { stageLargeFile } from "./stage-large-file.ts";
import type { StagingSetup } from "./staging-threads.ts";
import { openStagingSlots } from "./staging-slots.ts";

// A thread that stages files beside the one that restores. It finds and tells no fault: files that it cannot stage are staged by the other one, which
// finds what is wrong with them.

const { thread, slots: shared, place, idleMs } = workerData as StagingSetup;
const slots = openStagingSlots(shared);
const folder = { ...openCacheFolder(place), quarantine: () => undefined };
const store = createDiskBlobStore({ folder, digestFunction: place.digestFunction });

slots.announce(true);
for (;;) {
  const taken = slots.take(thread, idleMs);
  if (taken === undefined) break;
  let isStaged = false;
  try {
    for (const file of taken.files) await stage(file, taken.slot);
    isStaged = true;
  } catch {
    // Said by the state alone.
  }
  slots.finish(taken.slot, isStaged);
}
slots.announce(false);

async function stage(file: FileToStage, slot: number): Promise<void> {
  const goOn = (): void => {
    if (slots.isCalledOff(slot)) throw new Error("nobody needs the file any more");
  };
  goOn();
  if (!stageFile(store, file)) await stageLargeFile(store, file, { goOn });
}
