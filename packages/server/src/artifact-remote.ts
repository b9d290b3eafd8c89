import type { ActionKey } from "@cuenv/action-cache";
import type { BlobStore } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";

/**
 * A cache on another machine, behind that of a server. Whatever it does wrong is a miss, told to whoever runs the server and bounded in time: nothing here
 * throws, except for a signal that was aborted.
 */
export interface ArtifactRemote {
  /** Its namespace in which all artifacts are, whosever they are here. */
  readonly namespace: string;
  /** The entry under a key; undefined: there is none, or it cannot be had. */
  lookUp(key: ActionKey, signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /** Whether it has a blob. False also where it cannot be asked. */
  holds(blob: Digest, signal?: AbortSignal): Promise<boolean>;
  /** Brings a blob of it here. False: it cannot be had. */
  fetch(blob: Digest, to: BlobStore, signal?: AbortSignal): Promise<boolean>;
  /** Sends what was stored here, blob before entry, while the server goes on. */
  send(stored: StoredArtifact): void;
  /** Takes what is there under a key away, as far as it may. */
  remove(key: ActionKey, signal?: AbortSignal): Promise<void>;
  /** Waits within bounds for what is being sent, and closes the connection. */
  close(): Promise<void>;
}

/** What is to be sent. */
export interface StoredArtifact {
  /** For people. */
  readonly name: string;
  readonly key: ActionKey;
  readonly blob: Digest;
  readonly entry: Uint8Array;
}

/** A remote cache as an artifact store uses it. */
export interface RemoteArtifacts {
  readonly remote: ArtifactRemote;
  /** Where what is fetched goes. */
  readonly to: BlobStore;
  /** False: it is only served, and not found here the next time. */
  readonly keeps: boolean;
  /** One that is larger cannot be served; undefined: there is no such bound. */
  readonly maxBytes?: number | undefined;
}
