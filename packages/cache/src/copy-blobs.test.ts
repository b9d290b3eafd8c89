import { createMemoryBlobStore } from "@cuenv/cas";
import { expect, it } from "vitest";
import { copyBlobs } from "./copy-blobs.ts";

it("copies and counts a blob once that several want at the same time, or one wants twice", async () => {
  const store = () => createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 1024 });
  const [from, to] = [store(), store()];
  const shared = await from.ingest(Buffer.from("shared"));
  const own = await from.ingest(Buffer.from("its own"));
  const { signal } = new AbortController();
  const copied = await Promise.all([
    copyBlobs({ digests: [shared], from, to, signal }),
    copyBlobs({ digests: [shared, own, own], from, to, signal }),
  ]);
  expect(copied).toEqual([
    { blobs: 1, bytes: "shared".length },
    { blobs: 1, bytes: "its own".length },
  ]);
  expect(await to.missing([shared, own])).toEqual([]);
});
