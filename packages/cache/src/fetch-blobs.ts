import type { BlobStore } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";
import { copyBlobs } from "./copy-blobs.ts";
import type { RemoteTier } from "./remote-tier.ts";

export interface FetchBlobsOptions {
  readonly digests: readonly Digest[];
  readonly tier: RemoteTier;
  readonly to: BlobStore;
  /** A transfer that takes longer (ms) is of no use. */
  readonly withinMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What is said of one that took longer. */
  readonly late: string;
}

/**
 * Brings blobs from a remote cache here. One that is too slow is left alone for a while, since it would be as slow for what comes next.
 * @throws what the stores throw; {Error} `late`; the signal's reason
 */
export async function fetchBlobs(
  options: FetchBlobsOptions,
): Promise<{ readonly blobs: number; readonly bytes: number }> {
  const { digests, tier, to, withinMs, signal, late } = options;
  const budget = AbortSignal.timeout(Math.ceil(withinMs));
  const both = signal === undefined ? budget : AbortSignal.any([signal, budget]);
  try {
    return await copyBlobs({ digests, from: tier.blobs, to, signal: both });
  } catch (error) {
    if (signal?.aborted !== true && budget.aborted) {
      tier.tooSlow();
      throw new Error(late, { cause: error });
    }
    throw error;
  }
}
