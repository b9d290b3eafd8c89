import {
  type ActionKey,
  type ActionStore,
  artifactKey,
  type ArtifactRecord,
  sharedArtifactKey,
} from "@cuenv/action-cache";
import type { BlobStore } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";
import {
  type ArtifactEntries,
  type ArtifactEntriesOptions,
  createArtifactEntries,
} from "./artifact-entries.ts";
import type { RemoteArtifacts } from "./artifact-remote.ts";

/** The name of an artifact, checked: protocol, namespace and name. */
export type ArtifactName = Pick<ArtifactRecord, "protocol" | "namespace" | "name">;

export type ArtifactAbout = Pick<ArtifactRecord, "headers" | "writer">;

type FindArtifact = (
  name: ArtifactName,
  signal?: AbortSignal,
) => Promise<ArtifactRecord | undefined>;

/** Artifacts by name, over a pair of stores. What one reads is always one version whole, with the headers that it was stored with. */
export interface ArtifactStore {
  readonly blobs: BlobStore;
  /** Undefined: there is none, its bytes are gone, or it is not trusted. @throws {CuenvError} *_STORE_UNAVAILABLE */
  readonly find: FindArtifact;
  /** What `find` would give, and none of its bytes is brought here for it. @throws {CuenvError} *_STORE_UNAVAILABLE */
  readonly describe: FindArtifact;
  /** Names bytes that are in the blob store; the last one to do so wins. What would not be trusted is not kept. @throws {CuenvError} *_STORE_UNAVAILABLE */
  publish(
    name: ArtifactName,
    blob: Digest,
    about: ArtifactAbout,
    signal?: AbortSignal,
  ): Promise<void>;
  /** As `publish`, where the name has nothing that can be read. @throws {CuenvError} *_STORE_UNAVAILABLE */
  publishOnce(
    name: ArtifactName,
    blob: Digest,
    about: ArtifactAbout,
    signal?: AbortSignal,
  ): Promise<Publication>;
  /** What is not there is no error. The bytes stay until they are evicted. @throws {CuenvError} *_STORE_UNAVAILABLE */
  remove(name: ArtifactName, signal?: AbortSignal): Promise<void>;
}

/** What became of an artifact: stored, there already, or not kept, since nobody would trust it. */
export type Publication = "stored" | "present" | "unkept";

export interface ArtifactStoreOptions extends Omit<
  ArtifactEntriesOptions,
  "digestFunction" | "now"
> {
  readonly blobs: BlobStore;
  readonly actions: ActionStore;
  readonly now?: () => number;
  /** Told when bytes came into the store, also those that are not used. */
  readonly onStored?: (() => void) | undefined;
  /** Where what is not here is looked for, and what is stored here is sent. */
  readonly shared?: RemoteArtifacts | undefined;
}

/** What the functions below have in common. */
interface Artifacts extends Omit<ArtifactStoreOptions, "now"> {
  readonly entries: ArtifactEntries;
  readonly keyOf: (name: ArtifactName) => ActionKey;
}

export function createArtifactStore(options: ArtifactStoreOptions): ArtifactStore {
  const { blobs, actions, now = Date.now, shared, onStored } = options;
  const { digestFunction } = actions;
  const entries = createArtifactEntries({ ...options, digestFunction, now });
  const artifacts = {
    ...options,
    entries,
    keyOf: (name: ArtifactName) => artifactKey(digestFunction, name),
  };
  return {
    blobs,
    find: async (name, signal) =>
      (await findHere(artifacts, name, signal)) ??
      (shared === undefined ? undefined : await findThere(artifacts, shared, name, signal)),
    describe: async (name, signal) =>
      (await findHere(artifacts, name, signal)) ??
      (shared === undefined ? undefined : await describeThere(artifacts, shared, name, signal)),
    async publish(name, blob, about, signal) {
      const entry = await entryOf(artifacts, name, blob, about, signal);
      if (entry !== undefined) {
        await actions.put(artifacts.keyOf(name), entry, signal);
        send(artifacts, name, blob, entry);
      }
      onStored?.();
    },
    async publishOnce(name, blob, about, signal) {
      const entry = await entryOf(artifacts, name, blob, about, signal);
      const isStored = entry !== undefined && (await createHere(artifacts, name, entry, signal));
      if (isStored) send(artifacts, name, blob, entry);
      onStored?.();
      return entry === undefined ? "unkept" : isStored ? "stored" : "present";
    },
    async remove(name, signal) {
      await actions.delete(artifacts.keyOf(name), signal);
      await shared?.remote.remove(sharedKey(artifacts, shared, name), signal);
    },
  };
}

/** The entry, once what it names is as durable as the store's policy says; undefined when nobody would use it. */
async function entryOf(
  { blobs, entries }: Artifacts,
  name: ArtifactName,
  blob: Digest,
  about: ArtifactAbout,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  await blobs.flush?.(signal);
  return entries.make(name, blob, about);
}

async function findHere(
  { actions, blobs, entries, keyOf }: Artifacts,
  name: ArtifactName,
  signal?: AbortSignal,
): Promise<ArtifactRecord | undefined> {
  const bytes = await actions.get(keyOf(name), signal);
  if (bytes === undefined) return undefined;
  // It would be refused again and again, so it is put aside, for a look at it.
  const record = await entries.open(bytes, name, "stored", async () => {
    try {
      await actions.quarantine?.(keyOf(name));
    } catch {
      // A store that cannot be written: it stays a miss by itself.
    }
  });
  if (record === undefined) return undefined;
  const absent = await blobs.missing([record.blob], signal);
  return absent.length === 0 ? record : undefined;
}

/** False: the name has one that can be read. */
async function createHere(
  artifacts: Artifacts,
  name: ArtifactName,
  entry: Uint8Array,
  signal?: AbortSignal,
): Promise<boolean> {
  const { actions, keyOf } = artifacts;
  if (await actions.create(keyOf(name), entry, signal)) return true;
  if ((await findHere(artifacts, name, signal)) !== undefined) return false;
  // Damaged, or its bytes were evicted: who is first now mends it.
  await actions.delete(keyOf(name), signal);
  return actions.create(keyOf(name), entry, signal);
}

/** In the remote cache. Its bytes come here before it is one that can be found. */
async function findThere(
  artifacts: Artifacts,
  shared: RemoteArtifacts,
  name: ArtifactName,
  signal?: AbortSignal,
): Promise<ArtifactRecord | undefined> {
  const { blobs, onStored } = artifacts;
  const { remote, to, keeps } = shared;
  const named = await entryThere(artifacts, shared, name, signal);
  if (named === undefined) return undefined;
  const { bytes, record } = named;
  const isAbsent = async (): Promise<boolean> =>
    (await blobs.missing([record.blob], signal)).length > 0;
  if ((await isAbsent()) && !(await remote.fetch(record.blob, to, signal))) return undefined;
  if (!keeps) return (await isAbsent()) ? undefined : record;
  await blobs.flush?.(signal);
  // Whoever stored one meanwhile has the newer one.
  await createHere(artifacts, name, bytes, signal);
  onStored?.();
  return record;
}

/** As `findThere`; a remote cache forgets bytes and keeps their entry, so it is asked for both. */
async function describeThere(
  artifacts: Artifacts,
  shared: RemoteArtifacts,
  name: ArtifactName,
  signal?: AbortSignal,
): Promise<ArtifactRecord | undefined> {
  const record = (await entryThere(artifacts, shared, name, signal))?.record;
  if (record === undefined) return undefined;
  if ((await artifacts.blobs.missing([record.blob], signal)).length === 0) return record;
  if (record.blob.sizeBytes > (shared.maxBytes ?? Infinity)) return undefined;
  return (await shared.remote.holds(record.blob, signal)) ? record : undefined;
}

async function entryThere(
  artifacts: Artifacts,
  shared: RemoteArtifacts,
  name: ArtifactName,
  signal?: AbortSignal,
): Promise<{ readonly bytes: Uint8Array; readonly record: ArtifactRecord } | undefined> {
  const bytes = await shared.remote.lookUp(sharedKey(artifacts, shared, name), signal);
  const record = bytes && (await artifacts.entries.open(bytes, name, "remote"));
  return record && { bytes, record };
}

function send(artifacts: Artifacts, name: ArtifactName, blob: Digest, entry: Uint8Array): void {
  const { shared } = artifacts;
  if (shared === undefined) return;
  shared.remote.send({ name: name.name, key: sharedKey(artifacts, shared, name), blob, entry });
}

function sharedKey(
  { actions }: Artifacts,
  { remote }: RemoteArtifacts,
  name: ArtifactName,
): ActionKey {
  return sharedArtifactKey(actions.digestFunction, name, remote.namespace);
}
