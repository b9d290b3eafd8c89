import type { ActionStore } from "@cuenv/action-cache";
import type { BlobMembers, BlobStore } from "@cuenv/cas";
import type { DigestFunction } from "@cuenv/digest";
import type { AccessPolicy } from "../access-policy.ts";
import type { Metrics } from "../metrics.ts";

/** What is stored under the digests of one function. */
export interface ReapiStores {
  readonly blobs: BlobStore;
  readonly members: BlobMembers;
  readonly actions: ActionStore;
}

export interface ReapiOptions {
  /** The functions that are served, each with its stores. */
  readonly stores: ReadonlyMap<DigestFunction, ReapiStores>;
  readonly policy: AccessPolicy;
  readonly metrics: Metrics;
  /** No blob is larger (bytes). */
  readonly maxBlobBytes: number;
  /** All windows of zstd together, in which uploads are decompressed (bytes). Default: as much as answers may hold. */
  readonly maxWindowBytes?: number | undefined;
  /** False once the server is told to end: Health says so. */
  readonly isReady: () => boolean;
  /** A clock that only goes forward (ms): set back, what was found a moment ago would be believed until it has caught up. */
  readonly now: () => number;
  /** What went wrong with a store, for whoever runs the server. */
  readonly onTrouble?: ((message: string) => void) | undefined;
}

/**
 * All blobs of one batch together (bytes), as capabilities tell it. Clients take messages of 4 MiB unless told otherwise, and an answer has
 * some 100 bytes for each digest besides.
 */
export const maxBatchBytes: number = 4 * 1024 * 1024 - 256 * 1024;

/** No message is longer (bytes): a whole batch and what is around it; a list of 80,000 digests. */
export const maxMessageBytes: number = 8 * 1024 * 1024;
