import { createMemoryActionStore } from "@cuenv/action-cache";
import { createMemoryBlobStore } from "@cuenv/cas";
import { hashBytes } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { expect, it } from "vitest";
import { withMemoryFallback } from "./memory-fallback.ts";

const bounds = { digestFunction: "sha256", maxBytes: 1024 } as const;
const bytes = Buffer.from("bytes");
const digest = hashBytes("sha256", bytes);
const full = new CuenvError("CAS_STORE_UNAVAILABLE", "cannot write a blob: ENOSPC");
const gone = new CuenvError("CAS_STORE_UNAVAILABLE", "cannot read a blob: UNAVAILABLE");

/** A disk on which everything is read that is to be written, and nothing stored. */
function fullDisk() {
  const told: string[] = [];
  const takeNothing = async (source: unknown): Promise<never> => {
    if (!(source instanceof Uint8Array))
      for await (const _chunk of source as AsyncIterable<Uint8Array>);
    throw full;
  };
  const blobs = {
    ...createMemoryBlobStore(bounds),
    write: (_digest: unknown, source: unknown) => takeNothing(source),
    ingest: takeNothing,
  };
  const disk = { blobs, actions: createMemoryActionStore(bounds) };
  return { told, stores: withMemoryFallback(disk, (reason) => told.push(reason)) };
}

async function* stream(failure?: Error): AsyncGenerator<Uint8Array> {
  yield bytes;
  if (failure !== undefined) throw failure;
}

it("keeps in memory what a full disk does not take", async () => {
  const { told, stores } = fullDisk();
  await stores.blobs.write(digest, bytes);
  expect(await stores.blobs.missing([digest])).toEqual([]);
  expect(stores.isInMemory()).toBe(true);
  expect(told).toEqual([full.message]);
});

it("says of a stream what failed, be it the disk or the stream, and keeps nothing of it", async () => {
  const { told, stores } = fullDisk();
  const { blobs } = stores;
  await expect(blobs.write(digest, stream())).rejects.toBe(full);
  await expect(blobs.write(digest, stream(gone))).rejects.toBe(gone);
  await expect(blobs.ingest(stream(gone))).rejects.toBe(gone);
  expect(stores.isInMemory()).toBe(false);
  expect(told).toEqual([]);
});
