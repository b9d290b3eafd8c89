import {
  type ActionStore,
  artifactKey,
  type ArtifactRecord,
  decodeArtifactRecord,
  encodeArtifactRecord,
} from "@cuenv/action-cache";
import type { BlobStore } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";

/** The name of an artifact, checked: protocol, namespace and name. */
export type ArtifactName = Pick<ArtifactRecord, "protocol" | "namespace" | "name">;

type About = Pick<ArtifactRecord, "headers" | "writer">;

/** Artifacts by name, over a pair of stores. What one reads is always one version whole, with the headers that it was stored with. */
export interface ArtifactStore {
  readonly blobs: BlobStore;
  /** Undefined: there is none, or its bytes are gone. @throws {CuenvError} *_STORE_UNAVAILABLE */
  find(name: ArtifactName, signal?: AbortSignal): Promise<ArtifactRecord | undefined>;
  /** Names bytes that are in the blob store; the last one to do so wins. @throws {CuenvError} *_STORE_UNAVAILABLE */
  publish(name: ArtifactName, blob: Digest, about: About, signal?: AbortSignal): Promise<void>;
  /** As `publish`, where the name has nothing that can be read; false when it has. @throws {CuenvError} *_STORE_UNAVAILABLE */
  publishOnce(
    name: ArtifactName,
    blob: Digest,
    about: About,
    signal?: AbortSignal,
  ): Promise<boolean>;
  /** What is not there is no error. The bytes stay until they are evicted. @throws {CuenvError} *_STORE_UNAVAILABLE */
  remove(name: ArtifactName, signal?: AbortSignal): Promise<void>;
}

export interface ArtifactStoreOptions {
  readonly blobs: BlobStore;
  readonly actions: ActionStore;
  readonly now?: () => number;
  /** A record that cannot be read: it counts as missing. */
  readonly onDamage?: (message: string) => void;
}

export function createArtifactStore(options: ArtifactStoreOptions): ArtifactStore {
  const { blobs, actions, now = Date.now, onDamage } = options;
  const { digestFunction } = actions;
  const keyOf = (name: ArtifactName) => artifactKey(digestFunction, name);
  const find: ArtifactStore["find"] = async (name, signal) => {
    const bytes = await actions.get(keyOf(name), signal);
    if (bytes === undefined) return undefined;
    const decoded = decodeArtifactRecord(bytes, digestFunction, name);
    if (decoded.kind === "unusable") {
      onDamage?.(`the record of ${name.namespace}/${name.name} cannot be used: ${decoded.detail}`);
      return undefined;
    }
    const { record } = decoded;
    const absent = await blobs.missing([record.blob], signal);
    return absent.length === 0 ? record : undefined;
  };
  /** The entry, once what it names is as durable as the store's policy says. */
  const entryOf = async (name: ArtifactName, blob: Digest, about: About, signal?: AbortSignal) => {
    await blobs.flush?.(signal);
    const storedAt = new Date(now()).toISOString();
    return encodeArtifactRecord({ ...name, blob, ...about, storedAt }, digestFunction);
  };
  return {
    blobs,
    find,
    async publish(name, blob, about, signal) {
      await actions.put(keyOf(name), await entryOf(name, blob, about, signal), signal);
    },
    async publishOnce(name, blob, about, signal) {
      const entry = await entryOf(name, blob, about, signal);
      if (await actions.create(keyOf(name), entry, signal)) return true;
      if ((await find(name, signal)) !== undefined) return false;
      // Damaged, or its bytes were evicted: who is first now mends it.
      await actions.delete(keyOf(name), signal);
      return actions.create(keyOf(name), entry, signal);
    },
    remove: (name, signal) => actions.delete(keyOf(name), signal),
  };
}
