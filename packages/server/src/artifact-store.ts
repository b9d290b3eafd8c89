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

/** Artifacts by name, over a pair of stores. What one reads is always one version whole, with the headers that it was stored with. */
export interface ArtifactStore {
  readonly blobs: BlobStore;
  /** Undefined: there is none, or its bytes are gone. @throws {CuenvError} *_STORE_UNAVAILABLE */
  find(name: ArtifactName, signal?: AbortSignal): Promise<ArtifactRecord | undefined>;
  /** Names bytes that are in the blob store; the last one to do so wins. @throws {CuenvError} *_STORE_UNAVAILABLE */
  publish(
    name: ArtifactName,
    blob: Digest,
    about: Pick<ArtifactRecord, "headers" | "writer">,
    signal?: AbortSignal,
  ): Promise<void>;
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
  return {
    blobs,
    async find(name, signal) {
      const bytes = await actions.get(keyOf(name), signal);
      if (bytes === undefined) return undefined;
      const decoded = decodeArtifactRecord(bytes, digestFunction, name);
      if (decoded.kind === "unusable") {
        onDamage?.(
          `the record of ${name.namespace}/${name.name} cannot be used: ${decoded.detail}`,
        );
        return undefined;
      }
      const { record } = decoded;
      const absent = await blobs.missing([record.blob], signal);
      return absent.length === 0 ? record : undefined;
    },
    async publish(name, blob, about, signal) {
      await blobs.flush?.(signal);
      const storedAt = new Date(now()).toISOString();
      const record: ArtifactRecord = { ...name, blob, ...about, storedAt };
      await actions.put(keyOf(name), encodeArtifactRecord(record, digestFunction), signal);
    },
  };
}
