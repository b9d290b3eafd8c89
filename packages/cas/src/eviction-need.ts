import type { CacheFolder } from "./cache-folder.ts";
import { readTotals } from "./usage-journal.ts";

/** The store is looked at this often even if its approximate size says that nothing is to do (24 h). */
export const sweepIntervalMs: number = 24 * 60 * 60 * 1000;

export interface EvictionNeed {
  /** It was not looked at for {@link sweepIntervalMs}, or never. */
  readonly isDue: boolean;
  /** It holds more than it may. */
  readonly isFull: boolean;
}

/**
 * Whether a store is to be swept. Its size is known without looking at it, from the last sweep and what was added since, up to the last
 * `saveUses`. Apart from eviction, because every run that stored something asks, and few have to sweep. Never throws.
 */
export function evictionNeed(folder: CacheFolder, maxBytes: number | undefined): EvictionNeed {
  const { sweptMs, totalBytes } = readTotals(folder.layout);
  return {
    isDue: sweptMs === undefined || Math.abs(folder.now() - sweptMs) > sweepIntervalMs,
    isFull: maxBytes !== undefined && totalBytes > maxBytes,
  };
}
