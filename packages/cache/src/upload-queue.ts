import type { ActionKey } from "@cuenv/action-cache";
import { createMemoryBlobStore, type BlobStore } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";
import type { CacheEvent } from "./cache-event.ts";
import { copyBlobs } from "./copy-blobs.ts";
import { remoteTrouble } from "./remote-trouble.ts";
import type { EngineRemote } from "./remote-tier.ts";

/** One stored result, to be sent. */
export interface Upload {
  readonly task: string;
  readonly key: ActionKey;
  /** What the entry names. */
  readonly blobs: readonly Digest[];
  /** As it was stored here. */
  readonly entry: Uint8Array;
  /** The Action and its Command, which servers may want before a result. */
  readonly messages: readonly { readonly digest: Digest; readonly bytes: Uint8Array }[];
}

/**
 * Sends results to the remote cache while the run goes on: what depends on a task never waits for it. Blobs go first, and only those that are not
 * there, then the entry.
 */
export interface UploadQueue {
  add(upload: Upload): void;
  /** How many are waiting or under way. */
  readonly pending: number;
  /**
   * Waits for what was added: as long as something moves, {@link maxFlushMs} at the most; what is left then is dropped, and told. Never throws.
   * @param signal ends it at once
   */
  finish(signal?: AbortSignal): Promise<void>;
}

/** Results at once; each has transfers of its own, whose number the remote tier bounds. */
const maxUploads = 4;
/** More are not kept: a run of so many tasks has stored them here. */
const maxQueued = 10_000;
/** A run does not end later than so long after its last task because of uploads (5 min). */
const maxFlushMs = 5 * 60_000;

export interface UploadQueueOptions {
  readonly remote: EngineRemote;
  /** Where the blobs are. */
  readonly blobs: BlobStore;
  readonly emit: (event: CacheEvent) => void;
}

export function createUploadQueue(options: UploadQueueOptions): UploadQueue {
  const queue: Upload[] = [];
  const running = new Set<Promise<void>>();
  let dropped = 0;
  const stop = new AbortController();
  const next = (): void => {
    while (running.size < maxUploads) {
      const upload = stop.signal.aborted ? undefined : queue.shift();
      if (upload === undefined) return;
      const sent: Promise<void> = send(options, upload, stop.signal).finally(() => {
        running.delete(sent);
        next();
      });
      running.add(sent);
    }
  };
  return {
    add(upload) {
      if (queue.length < maxQueued) queue.push(upload);
      else dropped += 1;
      // After whoever waits for the task was told that it is done.
      setImmediate(next);
    },
    get pending() {
      return queue.length + running.size;
    },
    async finish(signal) {
      const end = (): void => stop.abort(new Error("the run ends"));
      const timer = setTimeout(end, maxFlushMs);
      signal?.addEventListener("abort", end, { once: true });
      if (signal?.aborted === true) end();
      next();
      while (running.size > 0) await Promise.race(running);
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      dropped += queue.length;
      if (dropped > 0 && signal?.aborted !== true) {
        const { name } = options.remote;
        const message = `remote cache ${name}: ${dropped} results were not sent in time`;
        options.emit({ type: "trouble", task: undefined, cause: "remote", message });
      }
      queue.length = 0;
    },
  };
}

/** Never throws: a result that is not sent is stored here all the same. */
async function send(
  { remote, blobs, emit }: UploadQueueOptions,
  upload: Upload,
  signal: AbortSignal,
): Promise<void> {
  try {
    const tier = await remote.tier();
    if (tier?.isUsable("write") !== true) return;
    const started = process.uptime() * 1000;
    const { blobs: there, actions } = tier;
    const named = [...upload.blobs, ...upload.messages.map(({ digest }) => digest)];
    const digests = await there.missing(named, signal);
    const from = await withMessages(blobs, upload);
    const copied = await copyBlobs({ digests, from, to: there, signal });
    await actions.put(upload.key, upload.entry, signal);
    const durationMs = process.uptime() * 1000 - started;
    emit({
      type: "uploaded",
      task: upload.task,
      key: upload.key.digest.hash,
      ...copied,
      durationMs,
    });
  } catch (error) {
    if (!signal.aborted) emit(remoteTrouble(remote, error));
  }
}

const maxMessageBytes = 64 * 1024 * 1024;

/** The blobs of the store, and messages that were never in it. */
async function withMessages(blobs: BlobStore, { messages }: Upload): Promise<BlobStore> {
  const { digestFunction } = blobs;
  const memory = createMemoryBlobStore({ digestFunction, maxBytes: maxMessageBytes });
  for (const { digest, bytes } of messages) await memory.write(digest, bytes);
  const isMessage = new Set(messages.map(({ digest }) => digest.hash));
  const storeOf = ({ hash }: Digest): BlobStore => (isMessage.has(hash) ? memory : blobs);
  return {
    ...blobs,
    read: (digest, options) => storeOf(digest).read(digest, options),
    readSync: (digest) => storeOf(digest).readSync?.(digest),
  };
}
