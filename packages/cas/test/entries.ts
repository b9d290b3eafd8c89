import { type Digest, hashText } from "@cuenv/digest";
import { writeFileSync } from "node:fs";
import { type CacheFolder, openCacheFolder } from "../src/cache-folder.ts";
import { createDiskBlobStore } from "../src/disk-blob-store.ts";
import { blobPath, entryId, entryPath } from "../src/disk-layout.ts";
import type { EntryCheck, EntryReferences } from "../src/maintenance.ts";

/** A store with entries that are nothing but a list of digests, and a clock that the test moves. */
export interface EntryStore {
  readonly folder: CacheFolder;
  readonly clock: { now: number };
  /** An entry of this name with blobs of these contents. */
  put(name: string, contents: readonly string[]): Promise<void>;
  /** As a hit does: reads the entry and notes the use. */
  use(name: string): void;
  ingest(content: string): Promise<Digest>;
  entryPath(name: string): string;
  blobPath(content: string): string;
  id(name: string): string;
  damage(path: string, content: string): void;
}

export const references: EntryReferences = (bytes) => {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as Digest[];
  } catch {
    return undefined;
  }
};

export const check: EntryCheck = (bytes) =>
  references(bytes) === undefined ? { kind: "damaged", detail: "no list" } : { kind: "sound" };

export function openEntryStore(
  root: string,
  clock: { now: number } = { now: Date.now() },
): EntryStore {
  const folder = openCacheFolder({ root, now: () => clock.now });
  const store = createDiskBlobStore({ folder, digestFunction: "sha256" });
  const keyOf = (name: string): string => hashText("sha256", `key of ${name}`).hash;
  const pathOf = (name: string): string => entryPath(root, "sha256", "default", keyOf(name));
  return {
    folder,
    clock,
    put: async (name, contents) => {
      const digests: Digest[] = [];
      for (const content of contents) digests.push(await store.ingest(Buffer.from(content)));
      const bytes = Buffer.from(JSON.stringify(digests));
      folder.writeFile(pathOf(name), bytes);
      folder.recordEntry(entryId("sha256", "default", keyOf(name)), bytes.length);
    },
    use: (name) => {
      folder.assertReadable();
      if (folder.readFile(pathOf(name), 1e6) !== undefined) {
        folder.recordUse(entryId("sha256", "default", keyOf(name)));
      }
    },
    ingest: (content) => store.ingest(Buffer.from(content)),
    entryPath: pathOf,
    blobPath: (content) => blobPath(root, "sha256", hashText("sha256", content).hash),
    id: (name) => entryId("sha256", "default", keyOf(name)),
    damage: (path, content) => writeFileSync(path, content),
  };
}
