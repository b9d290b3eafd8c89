import { existsSync } from "node:fs";
import { removeQuietly } from "./atomic-write.ts";
import type { DiskLayout } from "./disk-layout.ts";
import { type ScanOptions, scanMembers } from "./scan-store.ts";

/**
 * Removes the members whose blobs are gone: they would be found, and asked for in vain, for ever. A blob is looked for after its member was found, and
 * members come after their blobs, so that none of those goes whose blob is just being stored.
 */
export async function pruneMembers(layout: DiskLayout, options: ScanOptions): Promise<void> {
  for await (const { digestFunction, hash, path } of scanMembers(layout, options)) {
    const blob = `${layout.blobs}/${digestFunction}/${hash.slice(0, 2)}/${hash}`;
    if (!existsSync(blob)) removeQuietly(path);
  }
}
