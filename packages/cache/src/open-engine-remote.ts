import type { BlobStore } from "@cuenv/cas";
import type { CacheEvent } from "./cache-event.ts";
import { remoteTrouble } from "./remote-trouble.ts";
import { createSlowMisses } from "./slow-misses.ts";
import type { EngineRemote, RemoteOptions, RemoteTier } from "./remote-tier.ts";
import type { Upload, UploadQueue } from "./upload-queue.ts";

/** Who waits for uploads at the end of a run is told so after (ms). */
const tellFlushMs = 1000;

export interface OpenedRemote {
  readonly remote: EngineRemote;
  /** Sends a stored result while the run goes on; undefined: nothing is sent. */
  readonly upload: ((upload: Upload) => void) | undefined;
  /** Waits, within bounds, for what is being sent, and closes the connection. Never throws. */
  readonly close: (signal?: AbortSignal) => Promise<void>;
}

/** Nothing of a remote cache is loaded, and no connection made, before it is asked for something. */
export function openEngineRemote(
  options: RemoteOptions,
  blobs: BlobStore,
  emit: (event: CacheEvent) => void,
): OpenedRemote {
  let opening: Promise<RemoteTier | undefined> | undefined;
  let opened: RemoteTier | undefined;
  const open = async (): Promise<RemoteTier | undefined> => {
    try {
      opened = await options.open();
    } catch (error) {
      emit(remoteTrouble(options, error));
    }
    return opened;
  };
  const remote: EngineRemote = {
    ...options,
    tier: () => (opening ??= open()),
    misses: createSlowMisses(options.timeoutMs),
  };
  let queueing: Promise<UploadQueue> | undefined;
  const queue = async (): Promise<UploadQueue> => {
    const { createUploadQueue } = await import("./upload-queue.ts");
    return createUploadQueue({ remote, blobs, emit });
  };
  const upload = (result: Upload): void => {
    queueing ??= queue();
    void queueing.then((uploads) => uploads.add(result));
  };
  return {
    remote,
    upload: options.writes ? upload : undefined,
    close: async (signal) => {
      const uploads = await queueing;
      if (uploads !== undefined) await finish(uploads, remote, emit, signal);
      opened?.close();
    },
  };
}

async function finish(
  uploads: UploadQueue,
  { name: remote }: EngineRemote,
  emit: (event: CacheEvent) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const told = setTimeout(() => {
    emit({ type: "flushing", task: undefined, remote, pending: uploads.pending });
  }, tellFlushMs);
  await uploads.finish(signal);
  clearTimeout(told);
}
