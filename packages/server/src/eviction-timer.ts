import { entryReferences } from "@cuenv/action-cache";
import type { CacheFolder } from "@cuenv/cas";
import {
  type Eviction,
  type EvictionPolicy,
  evictWhenNeeded,
  readTotals,
} from "@cuenv/cas/maintenance";
import type { Metrics } from "./metrics.ts";

/** How often a server that stored something looks whether it holds too much (ms). */
const evictionIntervalMs = 60_000;

export interface EvictionTimerOptions {
  readonly folder: CacheFolder;
  readonly limits: {
    readonly maxBytes: number | undefined;
    readonly maxAgeMs: number | undefined;
  };
  readonly policy: EvictionPolicy;
  readonly metrics: Metrics;
  readonly onTrouble: ((message: string) => void) | undefined;
}

/** Keeps a folder within its limits while a server stores into it. */
export interface EvictionTimer {
  readonly noteStored: () => void;
  /** Evicts once more, and ends. Never throws. */
  readonly stop: () => Promise<void>;
}

export function startEvictionTimer(options: EvictionTimerOptions): EvictionTimer {
  const { folder, limits, policy, onTrouble } = options;
  const ending = new AbortController();
  const { signal } = ending;
  let hasStored = false;
  const noteSweep = measureStore(options);
  const evictNow = async (): Promise<void> => {
    if (!hasStored) return;
    hasStored = false;
    try {
      const given = { folder, references: entryReferences, limits, policy, signal };
      const swept = await evictWhenNeeded(given);
      if (swept !== undefined) noteSweep(swept);
    } catch (error) {
      if (!signal.aborted) onTrouble?.(`cannot evict: ${String(error)}`);
    }
  };
  const timer = setInterval(() => void evictNow(), evictionIntervalMs);
  timer.unref();
  return {
    noteStored: () => void (hasStored = true),
    stop: async () => {
      clearInterval(timer);
      await evictNow();
      ending.abort();
    },
  };
}

/** @returns what is to be told of each sweep. */
function measureStore({
  folder,
  limits,
  metrics,
}: EvictionTimerOptions): (swept: Eviction) => void {
  let last: Eviction | undefined;
  const { maxBytes } = limits;
  if (maxBytes !== undefined) metrics.read("cuenv_cache_max_bytes", () => [[{}, maxBytes]]);
  metrics.read("cuenv_cache_stats", () => [
    [{ metric: "bytes" }, readTotals(folder.layout).totalBytes],
    ...(last === undefined
      ? []
      : ([
          [{ metric: "entries" }, last.entries],
          [{ metric: "blobs" }, last.blobs],
        ] as const)),
  ]);
  return (swept) => {
    last = swept;
    const { removedEntries, removedBlobs, removedBytes } = swept;
    metrics.count("cuenv_server_evicted_total", { kind: "entries" }, removedEntries);
    metrics.count("cuenv_server_evicted_total", { kind: "blobs" }, removedBlobs);
    metrics.count("cuenv_server_evicted_total", { kind: "bytes" }, removedBytes);
  };
}
