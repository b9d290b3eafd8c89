import { createHasher, type Digest, formatDigest, hashBytes, hashText } from "@cuenv/digest";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BlobStore, maxSyncReadBytes } from "./blob-store.ts";

/** A store to be tested, empty. `corrupt` damages a stored blob behind the store's back, where that can be done. */
export interface BlobStoreUnderTest {
  readonly store: BlobStore;
  readonly corrupt?: (digest: Digest, bytes: Uint8Array) => void | Promise<void>;
  readonly close?: () => void | Promise<void>;
}

/** All of a stream. */
export async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) {
    yield bytes.subarray(start, start + size);
  }
}

/** The code of the error that a step fails with. */
async function codeOf(step: () => unknown): Promise<string> {
  try {
    await step();
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
  return "no error";
}

/** Larger than what is read in one call, of no regular size, and not repeating within a chunk. */
function largeBytes(seed: number): Buffer {
  const bytes = Buffer.alloc(maxSyncReadBytes * 2 + 4099);
  for (let index = 0, state = seed; index < bytes.length; index += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(state, Math.min(index, bytes.length - 4));
  }
  return bytes;
}

/**
 * The contract of {@link BlobStore} as tests; with `canCorrupt` also what it says of damage, for which the subject must have `corrupt`. `make` is called once for the suite; the suite uses blobs of its own, and works on a store that holds others.
 */
export function blobStoreContract(
  name: string,
  make: () => BlobStoreUnderTest | Promise<BlobStoreUnderTest>,
  abilities: { readonly canCorrupt: boolean },
): void {
  describe(`the blob store contract: ${name}`, () => {
    let subject: BlobStoreUnderTest;
    let store: BlobStore;
    let directory: string;
    const digestOf = (text: string): Digest => hashText(store.digestFunction, text);
    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), "cuenv-contract-"));
      subject = await make();
      ({ store } = subject);
    });
    afterAll(async () => {
      await subject.close?.();
      rmSync(directory, { recursive: true, force: true });
    });

    it("gives back bytes that were written under their digest", async () => {
      const bytes = Buffer.from("written");
      await store.write(digestOf("written"), bytes);
      expect(await readAll(store.read(digestOf("written")))).toEqual(bytes);
    });

    it("ingests bytes, streams and files alike, and says their digest", async () => {
      const path = join(directory, "source");
      writeFileSync(path, "from a file");
      expect(await store.ingest(Buffer.from("from memory"))).toEqual(digestOf("from memory"));
      expect(await store.ingest(inChunks(Buffer.from("from a stream"), 3))).toEqual(
        digestOf("from a stream"),
      );
      expect(await store.ingest({ path })).toEqual(digestOf("from a file"));
      for (const text of ["from memory", "from a stream", "from a file"]) {
        expect((await readAll(store.read(digestOf(text)))).toString()).toBe(text);
      }
    });

    it("stores and streams blobs beyond the size of one call", async () => {
      const bytes = largeBytes(1);
      const path = join(directory, "large");
      writeFileSync(path, bytes);
      const digest = hashBytes(store.digestFunction, bytes);
      expect(await store.ingest(inChunks(bytes, 77_777))).toEqual(digest);
      await store.write(digest, { path });
      const chunks: Uint8Array[] = [];
      for await (const chunk of store.read(digest)) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
      expect(store.readSync?.(digest)).toBeUndefined();
    });

    it("names what is missing, each once, in the order given", async () => {
      await store.ingest(Buffer.from("present"));
      const [zebra, ant] = [digestOf("zebra"), digestOf("ant")];
      expect(await store.missing([zebra, digestOf("present"), ant, zebra])).toEqual([zebra, ant]);
      expect(await store.missing([])).toEqual([]);
    });

    it("has the empty blob without storing it", async () => {
      const empty = digestOf("");
      expect(await store.missing([empty])).toEqual([]);
      expect(await readAll(store.read(empty))).toHaveLength(0);
      expect(store.readSync?.(empty) ?? new Uint8Array()).toHaveLength(0);
      await store.write(empty, new Uint8Array());
      expect(await store.ingest(new Uint8Array())).toEqual(empty);
    });

    it("fails with CAS_BLOB_NOT_FOUND for what it does not have", async () => {
      expect(await codeOf(() => readAll(store.read(digestOf("never written"))))).toBe(
        "CAS_BLOB_NOT_FOUND",
      );
      expect(store.readSync?.(digestOf("never written"))).toBeUndefined();
    });

    it("takes the size for part of the identity", async () => {
      const digest = await store.ingest(Buffer.from("ten bytes!"));
      const wrong = { ...digest, sizeBytes: 11 };
      expect(await store.missing([wrong])).toEqual([wrong]);
      expect(await codeOf(() => readAll(store.read(wrong)))).toBe("CAS_BLOB_NOT_FOUND");
      // Asking wrongly must not cost the blob.
      expect((await readAll(store.read(digest))).toString()).toBe("ten bytes!");
    });

    it("stores nothing when the bytes are not those of the digest", async () => {
      const digest = digestOf("the right bytes");
      const path = join(directory, "wrong");
      writeFileSync(path, "the wrong bytes");
      const sources = [Buffer.from("the wrong bytes"), { path }, inChunks(largeBytes(2), 50_000)];
      for (const source of sources) {
        expect(await codeOf(() => store.write(digest, source))).toBe("CAS_DIGEST_MISMATCH");
      }
      expect(await store.missing([digest])).toEqual([digest]);
    });

    it("reads ranges", async () => {
      const digest = await store.ingest(Buffer.from("0123456789"));
      const range = async (offset: number, length?: number): Promise<string> =>
        (
          await readAll(store.read(digest, length === undefined ? { offset } : { offset, length }))
        ).toString();
      expect(await range(0, 4)).toBe("0123");
      expect(await range(3)).toBe("3456789");
      expect(await range(7, 100)).toBe("789");
      expect(await range(4, 0)).toBe("");
      expect(await range(10)).toBe("");
      const large = largeBytes(3);
      const largeDigest = await store.ingest(large);
      const part = await readAll(store.read(largeDigest, { offset: 1_500_001, length: 2_000_003 }));
      expect(part.equals(large.subarray(1_500_001, 3_500_004))).toBe(true);
    });

    it("refuses ranges that begin beyond the end or are negative", async () => {
      const digest = await store.ingest(Buffer.from("0123456789"));
      for (const options of [{ offset: 11 }, { offset: -1 }, { length: -1 }, { offset: 0.5 }]) {
        expect(await codeOf(() => readAll(store.read(digest, options)))).toBe("CAS_RANGE_INVALID");
      }
    });

    it("refuses digests that are none, before they become a path", async () => {
      const { hash } = digestOf("x");
      const hostile: Digest[] = [
        { hash: "../../../etc/passwd", sizeBytes: 1 },
        { hash: hash.toUpperCase(), sizeBytes: 1 },
        { hash: hash.slice(1), sizeBytes: 1 },
        { hash: `${hash}\0`, sizeBytes: 1 },
        { hash: "", sizeBytes: 0 },
        { hash, sizeBytes: -1 },
        { hash, sizeBytes: 1.5 },
        { hash, sizeBytes: Number.NaN },
        { hash, sizeBytes: 2 ** 53 },
      ];
      for (const digest of hostile) {
        expect(await codeOf(() => store.missing([digest]))).toBe("DIGEST_INVALID");
        expect(await codeOf(() => readAll(store.read(digest)))).toBe("DIGEST_INVALID");
        expect(await codeOf(() => store.write(digest, Buffer.from("x")))).toBe("DIGEST_INVALID");
      }
    });

    it("is not changed by who changes the buffer that was written", async () => {
      const bytes = Buffer.from("mine, then yours");
      const digest = await store.ingest(bytes);
      bytes.fill(0);
      expect((await readAll(store.read(digest))).toString()).toBe("mine, then yours");
    });

    it("takes the same blob from many writers at once", async () => {
      const bytes = largeBytes(4);
      const small = Buffer.from("written by all");
      const writers = Array.from({ length: 8 }, async (_, index) => {
        await store.ingest(index % 2 === 0 ? bytes : inChunks(bytes, 65_536));
        await store.write(hashBytes(store.digestFunction, small), small);
      });
      await Promise.all(writers);
      const digest = hashBytes(store.digestFunction, bytes);
      const readers = Array.from({ length: 8 }, () => readAll(store.read(digest)));
      for (const read of await Promise.all(readers)) expect(read.equals(bytes)).toBe(true);
    });

    it("says the reason of an aborted signal", async () => {
      const reason = new Error("interrupted");
      const signal = AbortSignal.abort(reason);
      const digest = await store.ingest(Buffer.from("kept"));
      await expect(store.ingest(Buffer.from("not stored"), signal)).rejects.toBe(reason);
      await expect(readAll(store.read(digest, { signal }))).rejects.toBe(reason);
      await expect(store.missing([digest], signal)).rejects.toBe(reason);
      expect(await store.missing([digestOf("not stored")])).toHaveLength(1);
    });

    it("passes on the failure of a source, and stores nothing of it", async () => {
      const failure = new Error("the source broke");
      const broken = async function* (): AsyncGenerator<Uint8Array> {
        yield largeBytes(5);
        throw failure;
      };
      await expect(store.ingest(broken())).rejects.toBe(failure);
      expect(await codeOf(() => store.ingest({ path: join(directory, "absent") }))).toBe("ENOENT");
    });

    it("returns from flush when there is nothing to wait for", async () => {
      await expect(Promise.resolve(store.flush?.())).resolves.toBeUndefined();
    });

    it("offers a local path that holds the bytes, if it offers one", async () => {
      const digest = await store.ingest(Buffer.from("on this disk"));
      const path = store.localPath?.(digest);
      expect(path === undefined ? "on this disk" : readFileSync(path, "utf8")).toBe("on this disk");
      expect(store.localPath?.(digestOf("nowhere"))).toBeUndefined();
    });

    if (!abilities.canCorrupt) return;
    describe("a blob that was damaged behind its back", () => {
      const sizes = { small: Buffer.from("damaged later"), large: largeBytes(6) };
      const damages: Readonly<Record<string, (bytes: Buffer) => Uint8Array>> = {
        "with a flipped bit": (bytes) => {
          const copy = Buffer.from(bytes);
          copy.writeUInt8(copy.readUInt8(bytes.length - 2) ^ 1, bytes.length - 2);
          return copy;
        },
        "cut short": (bytes) => bytes.subarray(0, bytes.length - 1),
        emptied: () => new Uint8Array(),
        grown: (bytes) => Buffer.concat([bytes, Buffer.from("x")]),
        "of zeros": (bytes) => Buffer.alloc(bytes.length),
      };
      for (const [size, bytes] of Object.entries(sizes)) {
        for (const [kind, damage] of Object.entries(damages)) {
          it(`is never delivered whole, then missing, and heals (${size}, ${kind})`, async () => {
            const digest = await store.ingest(bytes);
            await subject.corrupt?.(digest, damage(Buffer.from(bytes)));
            const hasher = createHasher(store.digestFunction);
            let delivered = 0;
            const code = await codeOf(async () => {
              for await (const chunk of store.read(digest)) {
                hasher.update(chunk);
                delivered += chunk.length;
              }
            });
            expect(code).toBe("CAS_BLOB_CORRUPT");
            expect(delivered).toBeLessThan(digest.sizeBytes);
            expect((await store.missing([digest])).map(formatDigest)).toEqual([
              formatDigest(digest),
            ]);
            await store.write(digest, bytes);
            expect((await readAll(store.read(digest))).equals(bytes)).toBe(true);
          });

          it(`heals when it is written again before anybody read it (${size}, ${kind})`, async () => {
            const digest = await store.ingest(bytes);
            await subject.corrupt?.(digest, damage(Buffer.from(bytes)));
            await store.write(digest, bytes);
            expect((await readAll(store.read(digest))).equals(bytes)).toBe(true);
          });
        }
      }
    });
  });
}
