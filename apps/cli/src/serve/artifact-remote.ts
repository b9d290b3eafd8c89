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
import { type Access, createReopening, type Reopening } from "./reopening.ts";

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
  /** A clock that only goes forward (ms). */
  readonly now?: () => number;
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
  { settings, onTrouble, now = () => performance.now() }: ArtifactRemoteOptions,
): ArtifactRemote {
  let toldMs = -Infinity;
  const tell = (message: string): void => {
    if (now() - toldMs < quietMs) return;
    toldMs = now();
    onTrouble(message);
  };
  const engine = createReopening(
    () =>
      openEngineRemote(configured, blobs, (event) => {
        if (event.type === "trouble") tell(event.message);
      }),
    now,
  );
  const attempt = attemptsOf(configured, engine, tell);
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
          withinMs: configured.timeoutMs + (blob.sizeBytes / slowestBytesPerSecond) * 1000,
          late: "an artifact came too slowly",
        });
        return true;
      }),
    send: ({ name, key, blob, entry }) => {
      const { remote, upload } = engine.current();
      upload?.({ task: name, key, blobs: [blob], entry, messages: [] });
      if (upload !== undefined) void noteSending(remote.tier(), engine);
    },
    remove: (key, signal) =>
      attempt("write", undefined, signal, ({ actions }) => actions.delete(key, signal)),
    close: () => engine.close(),
  };
}

type OpenedRemote = ReturnType<typeof openEngineRemote>;

type Attempt = <Value>(
  access: Access,
  failed: Value,
  signal: AbortSignal | undefined,
  step: (tier: RemoteTier) => Promise<Value>,
) => Promise<Value>;

/** Steps with the remote cache; what goes wrong is told, and gives `failed`. */
function attemptsOf(
  { reads, writes }: RemoteOptions,
  engine: Reopening<OpenedRemote>,
  tell: (message: string) => void,
): Attempt {
  return async (access, failed, signal, step) => {
    if (access === "read" ? !reads : !writes) return failed;
    const { remote } = engine.current();
    const tier = await remote.tier();
    if (tier?.isUsable(access) !== true) {
      engine.failed(access);
      return failed;
    }
    try {
      const value = await step(tier);
      engine.worked(access);
      return value;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      engine.failed(access);
      tell(remoteTrouble(remote, error).message);
      return failed;
    }
  };
}

/** What is sent fails by itself: only whether it is any use to send is seen here. */
async function noteSending(
  opening: Promise<RemoteTier | undefined>,
  engine: Pick<Reopening<never>, "failed" | "worked">,
): Promise<void> {
  const tier = await opening;
  if (tier?.isUsable("write") === true) engine.worked("write");
  else engine.failed("write");
}
