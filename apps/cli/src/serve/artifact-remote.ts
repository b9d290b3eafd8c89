import {
  fetchBlobs,
  openEngineRemote,
  type RemoteOptions,
  type RemoteTier,
  remoteTrouble,
} from "@cuenv/cache/remote";
import type { CacheSettings } from "@cuenv/config";
import type { ArtifactRemote } from "@cuenv/server";
import { remoteOptions } from "../run/remote-options.ts";

/** A run has one warning of it; who runs a server for months hears of it again (ms). */
const quietMs = 10 * 60_000;

/** One that sends more slowly is of no use; clients give up after half a minute or sooner (1 MiB/s). */
const slowestBytesPerSecond = 1024 * 1024;

type BlobStore = Parameters<ArtifactRemote["fetch"]>[1];

export interface ArtifactRemoteOptions {
  readonly settings: CacheSettings;
  /** Nothing is sent. */
  readonly isReadOnly: boolean;
  /** A line, and none for some minutes after it: what is wrong is wrong for every artifact. */
  readonly onTrouble: (message: string) => void;
}

/** The remote cache of the settings behind a server's artifacts; undefined: there is none, or it is neither asked nor sent anything. */
export function artifactRemote(
  options: ArtifactRemoteOptions,
): ((blobs: BlobStore) => ArtifactRemote) | undefined {
  const { settings, isReadOnly } = options;
  const configured = remoteOptions(settings);
  if (configured === undefined) return undefined;
  const writes = configured.writes && !isReadOnly;
  if (!configured.reads && !writes) return undefined;
  return (blobs) => overEngineRemote({ ...configured, writes }, blobs, options);
}

function overEngineRemote(
  configured: RemoteOptions,
  blobs: BlobStore,
  { settings, onTrouble }: ArtifactRemoteOptions,
): ArtifactRemote {
  let toldMs = -Infinity;
  const tell = (message: string): void => {
    const now = performance.now();
    if (now - toldMs < quietMs) return;
    toldMs = now;
    onTrouble(message);
  };
  const { remote, upload, close } = openEngineRemote(configured, blobs, (event) => {
    if (event.type === "trouble") tell(event.message);
  });
  const attempt = async <Value>(
    access: "read" | "write",
    failed: Value,
    signal: AbortSignal | undefined,
    step: (tier: RemoteTier) => Promise<Value>,
  ): Promise<Value> => {
    const isWanted = access === "read" ? remote.reads : remote.writes;
    const tier = isWanted ? await remote.tier() : undefined;
    if (tier?.isUsable(access) !== true) return failed;
    try {
      return await step(tier);
    } catch (error) {
      if (signal?.aborted === true) throw error;
      tell(remoteTrouble(remote, error).message);
      return failed;
    }
  };
  return {
    namespace: settings.namespace,
    lookUp: (key, signal) =>
      attempt("read", undefined, signal, ({ actions }) => actions.get(key, signal)),
    holds: (blob, signal) =>
      attempt(
        "read",
        false,
        signal,
        async ({ blobs: there }) => (await there.missing([blob], signal)).length === 0,
      ),
    fetch: (blob, to, signal) =>
      attempt("read", false, signal, async (tier) => {
        await fetchBlobs({
          digests: [blob],
          tier,
          to,
          signal,
          withinMs: remote.timeoutMs + (blob.sizeBytes / slowestBytesPerSecond) * 1000,
          late: "an artifact came too slowly",
        });
        return true;
      }),
    send: ({ name, key, blob, entry }) =>
      upload?.({ task: name, key, blobs: [blob], entry, messages: [] }),
    remove: (key, signal) =>
      attempt("write", undefined, signal, ({ actions }) => actions.delete(key, signal)),
    close,
  };
}
