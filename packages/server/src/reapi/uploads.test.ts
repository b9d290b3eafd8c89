import type { BlobSource } from "@cuenv/cas";
import { hashBytes } from "@cuenv/digest";
import { describe, expect, it } from "vitest";
import type { NamespaceBlobs } from "./namespace-blobs.ts";
import { createUploads } from "./uploads.ts";

/** A store that takes what it is given once it is told to. */
function slowStore() {
  const start = Promise.withResolvers<void>();
  const taken: Buffer[] = [];
  const write = async (_: string, __: unknown, source: BlobSource): Promise<void> => {
    await start.promise;
    for await (const chunk of source as AsyncIterable<Uint8Array>) taken.push(Buffer.from(chunk));
  };
  return { blobs: { write } as Partial<NamespaceBlobs> as NamespaceBlobs, taken, start };
}

const bytes = Buffer.from("first second");
const name = { key: "key", namespace: "main", digest: hashBytes("sha256", bytes) };

describe("an upload that another call takes over", () => {
  it("loses nothing of what the first call pushed and the store has not taken yet", async () => {
    const { blobs, taken, start } = slowStore();
    const uploads = createUploads(Date.now);
    const first = uploads.open(name, 0, blobs);
    const pushed = first.push(bytes.subarray(0, 6));
    const second = uploads.open(name, 6, blobs);
    const pushedNext = second.push(bytes.subarray(6));
    start.resolve();
    await Promise.all([pushed, pushedNext]);
    await second.finish();
    expect(Buffer.concat(taken)).toEqual(bytes);
  });

  it("is not ended by the first one", async () => {
    const { blobs, taken, start } = slowStore();
    start.resolve();
    const uploads = createUploads(Date.now);
    const first = uploads.open(name, 0, blobs);
    await first.push(bytes.subarray(0, 6));
    const second = uploads.open(name, 6, blobs);
    await expect(first.finish()).rejects.toMatchObject({ status: "ABORTED" });
    await second.push(bytes.subarray(6));
    await second.finish();
    expect(Buffer.concat(taken)).toEqual(bytes);
  });

  it("tells everybody who pushes that it was dropped", async () => {
    const { blobs } = slowStore();
    const uploads = createUploads(Date.now);
    const first = uploads.open(name, 0, blobs).push(bytes.subarray(0, 6));
    const second = uploads.open(name, 6, blobs).push(bytes.subarray(6));
    uploads.close();
    const ended = await Promise.allSettled([first, second]);
    expect(ended).toMatchObject([
      { reason: { status: "ABORTED" } },
      { reason: { status: "ABORTED" } },
    ]);
  });

  it("stays when the call that it was begun anew without goes on, and is dropped in its time", async () => {
    const { blobs, start } = slowStore();
    start.resolve();
    const uploads = createUploads(Date.now);
    const first = uploads.open(name, 0, blobs);
    const second = uploads.open(name, 0, blobs);
    await second.push(bytes.subarray(0, 6));
    await expect(first.push(bytes)).rejects.toMatchObject({ status: "ABORTED" });
    expect(uploads.receivedBytes(name.key)).toBe(6);
    uploads.close();
    await expect(second.push(bytes.subarray(6))).rejects.toMatchObject({ status: "ABORTED" });
  });
});
