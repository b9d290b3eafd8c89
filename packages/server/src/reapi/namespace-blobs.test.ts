import { createMemoryActionStore } from "@cuenv/action-cache";
import { createMemoryBlobMembers, createMemoryBlobStore } from "@cuenv/cas";
import { type Digest, hashText } from "@cuenv/digest";
import { beforeEach, describe, expect, it } from "vitest";
import { createNamespaceBlobs, type NamespaceBlobs } from "./namespace-blobs.ts";
import { absentMs } from "./presence-memory.ts";

const digestOf = (text: string): Digest => hashText("sha256", text);
const [one, two] = [digestOf("one"), digestOf("two")];

let nowMs: number;
let lookedFor: Digest[];
let blobs: NamespaceBlobs;
/** As another process has it, over the same stores. */
let elsewhere: NamespaceBlobs;
beforeEach(() => {
  nowMs = 0;
  lookedFor = [];
  const given = { digestFunction: "sha256", maxBytes: 1 << 20 } as const;
  const members = createMemoryBlobMembers("sha256");
  const stores = {
    blobs: createMemoryBlobStore(given),
    actions: createMemoryActionStore(given),
    members: {
      ...members,
      missing: async (names: readonly string[], digests: readonly Digest[]) => {
        lookedFor.push(...digests);
        return members.missing(names, digests);
      },
    },
  };
  blobs = createNamespaceBlobs(stores, () => nowMs);
  elsewhere = createNamespaceBlobs(stores, () => nowMs);
});

describe("many blobs", () => {
  it("are looked for in pieces, between which other callers get a turn", async () => {
    const many = Array.from({ length: 3000 }, (_, number) => digestOf(`blob ${number}`));
    const seenBy: number[] = [];
    setImmediate(() => seenBy.push(lookedFor.length));
    expect(await blobs.missing(["main"], many)).toEqual(many);
    expect(lookedFor).toEqual(many);
    expect(seenBy).toEqual([1024]);
  });
});

describe("blobs that were absent a moment ago", () => {
  it("are not looked for again, each caller's apart from those of others", async () => {
    expect(await blobs.missing(["main"], [one, two, one])).toEqual([one, two]);
    expect(await blobs.missing(["main"], [two, one])).toEqual([two, one]);
    expect(lookedFor).toEqual([one, two]);
    expect(await blobs.missing(["pr"], [one])).toEqual([one]);
    expect(lookedFor).toEqual([one, two, one]);
  });

  it("are there as soon as they were stored, in whatever way", async () => {
    expect(await blobs.missing(["main"], [one, two])).toEqual([one, two]);
    await blobs.write("main", one, Buffer.from("one"));
    expect(await blobs.missing(["main"], [one, two])).toEqual([two]);
    expect(await blobs.ingest("main", Buffer.from("two"))).toEqual(two);
    expect(await blobs.missing(["main"], [one, two])).toEqual([]);
    expect(await blobs.missing(["pr"], [one, two])).toEqual([one, two]);
    expect(await blobs.missing(["pr", "main"], [one, two])).toEqual([]);
  });

  it("are looked for again after a second: another process may have stored them", async () => {
    expect(await blobs.missing(["main"], [one])).toEqual([one]);
    await elsewhere.write("main", one, Buffer.from("one"));
    nowMs = absentMs - 1;
    expect(await blobs.missing(["main"], [one])).toEqual([one]);
    nowMs = absentMs;
    expect(await blobs.missing(["main"], [one])).toEqual([]);
  });

  it("have sizes: another size of one hash is another blob", async () => {
    const odd = { ...one, sizeBytes: 4 };
    expect(await blobs.missing(["main"], [odd])).toEqual([odd]);
    await blobs.write("main", one, Buffer.from("one"));
    expect(await blobs.missing(["main"], [odd, one])).toEqual([odd]);
  });
});
