import { lstatSync, readdirSync } from "node:fs";
import type { CacheFolder } from "./cache-folder.ts";
import { scanBlobs, scanEntries } from "./scan-store.ts";

/** What a store takes, in files and in the sum of their sizes. */
export interface StoreUse {
  readonly entries: number;
  readonly entryBytes: number;
  readonly blobs: number;
  readonly blobBytes: number;
  readonly quarantinedFiles: number;
  readonly quarantinedBytes: number;
  /** Entries by namespace. */
  readonly namespaces: ReadonlyMap<string, number>;
}

/** Counts by looking at every file. A folder that does not exist holds nothing. @throws system errors; the signal's reason. */
export async function measureStore(folder: CacheFolder, signal?: AbortSignal): Promise<StoreUse> {
  folder.assertReadable();
  const use = { entries: 0, entryBytes: 0, blobs: 0, blobBytes: 0 };
  const namespaces = new Map<string, number>();
  for await (const { sizeBytes, namespace } of scanEntries(folder.layout, { signal })) {
    use.entries += 1;
    use.entryBytes += sizeBytes;
    namespaces.set(namespace, (namespaces.get(namespace) ?? 0) + 1);
  }
  for await (const { sizeBytes } of scanBlobs(folder.layout, { signal })) {
    use.blobs += 1;
    use.blobBytes += sizeBytes;
  }
  const quarantined = quarantinedSizes(folder.layout.quarantine);
  return {
    ...use,
    quarantinedFiles: quarantined.length,
    quarantinedBytes: quarantined.reduce((sum, size) => sum + size, 0),
    namespaces,
  };
}

function quarantinedSizes(directory: string): number[] {
  try {
    return readdirSync(directory).map(
      (name) => lstatSync(`${directory}/${name}`, { throwIfNoEntry: false })?.size ?? 0,
    );
  } catch {
    return [];
  }
}
