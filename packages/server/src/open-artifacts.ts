import { createDiskActionStore } from "@cuenv/action-cache";
import {
  type CacheFolder,
  createDiskBlobStore,
  createMemoryBlobStore,
  createTieredBlobStore,
} from "@cuenv/cas";
import type { ArtifactRemote } from "./artifact-remote.ts";
import { type ArtifactStore, createArtifactStore } from "./artifact-store.ts";
import { createRefusalWarnings } from "./artifact-trust.ts";
import type { CacheServerOptions } from "./cache-server.ts";
import type { Metrics } from "./metrics.ts";

/** What a server that writes nothing to disk keeps of fetched artifacts (256 MiB); one that does not fit is a miss. */
const maxReadOnlyBytes = 256 * 1024 * 1024;

/** The artifacts of a cache folder, and those of the remote cache behind it. */
export function openArtifacts(
  options: Pick<
    CacheServerOptions,
    "digestFunction" | "trust" | "onTrouble" | "openRemote" | "isReadOnly"
  >,
  folder: CacheFolder,
  metrics: Metrics,
  onStored: () => void,
): { readonly artifacts: ArtifactStore; readonly remote: ArtifactRemote | undefined } {
  const { digestFunction, trust, onTrouble, openRemote, isReadOnly = false } = options;
  const stores = { folder, digestFunction };
  const disk = createDiskBlobStore(stores);
  const remote = openRemote?.(disk);
  const to =
    isReadOnly && remote !== undefined
      ? createMemoryBlobStore({ digestFunction, maxBytes: maxReadOnlyBytes })
      : disk;
  const kept = to === disk ? { keeps: true } : { keeps: false, maxBytes: maxReadOnlyBytes };
  const warn = createRefusalWarnings((message) => onTrouble?.(message));
  const artifacts = createArtifactStore({
    blobs: to === disk ? disk : createTieredBlobStore({ tiers: [to, disk] }),
    actions: createDiskActionStore(stores),
    onDamage: onTrouble,
    trust,
    ...(remote && { shared: { remote, to, ...kept } }),
    onStored,
    onRefused: (refused) => {
      const { protocol, origin, reason } = refused;
      metrics.count("cuenv_server_artifacts_refused_total", { protocol, origin, reason });
      warn(refused);
    },
  });
  return { artifacts, remote };
}
