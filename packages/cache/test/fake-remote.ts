import { type ActionStore, createMemoryActionStore } from "@cuenv/action-cache";
import { type BlobStore, createMemoryBlobStore } from "@cuenv/cas";
import { join } from "node:path";
import type { RemoteOptions, RemoteTier } from "../src/remote-tier.ts";
import type { OpenedCacheEngine } from "../src/open-cache-engine.ts";
import { base, open } from "./engine-rig.ts";

const roomy = { digestFunction: "sha256", maxBytes: 64 * 1024 * 1024 } as const;

/** A remote cache in memory, whose stores a test may bend. */
export interface FakeRemote {
  readonly blobs: BlobStore;
  readonly actions: ActionStore;
  /** As the engine takes it; `bend` replaces what the tier does. */
  options(bend?: FakeRemoteOptions): RemoteOptions;
  /** How often the tier was opened, closed, and found too slow. */
  readonly seen: { opened: number; closed: number; tooSlow: number };
}

export interface FakeRemoteOptions extends Partial<Omit<RemoteOptions, "open" | "name">> {
  readonly tier?: Partial<RemoteTier>;
}

export function fakeRemote(): FakeRemote {
  const blobs = createMemoryBlobStore(roomy);
  const actions = createMemoryActionStore(roomy);
  const seen = { opened: 0, closed: 0, tooSlow: 0 };
  return {
    blobs,
    actions,
    seen,
    options: ({ tier, ...options } = {}) => ({
      name: "cache.example:443",
      reads: true,
      writes: true,
      timeoutMs: 10_000,
      ...options,
      open: () => {
        seen.opened += 1;
        return Promise.resolve({
          blobs,
          actions,
          isUsable: () => true,
          tooSlow: () => void (seen.tooSlow += 1),
          close: () => void (seen.closed += 1),
          ...tier,
        });
      },
    }),
  };
}

/** The cache of a machine of its own, which has the key of the others. */
export function machine(name: string, remote: RemoteOptions, readOnly = false): OpenedCacheEngine {
  return open({ cacheDir: join(base, name) }, readOnly, {}, remote);
}
