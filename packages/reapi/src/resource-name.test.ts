import { emptyDigest } from "@cuenv/digest";
import {
  array,
  assert,
  constantFrom,
  nat,
  property,
  record,
  string,
  stringMatching,
} from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatReadResource,
  formatWriteResource,
  parseReadResource,
  parseWriteResource,
} from "./resource-name.ts";

const { hash } = emptyDigest("sha256");

describe("the name of a blob", () => {
  it.each([
    [`blobs/${hash}/0`, { instance: "", compressor: "identity", digestFunction: "sha256" }],
    [`team/a/blobs/${hash}/0`, { instance: "team/a" }],
    [
      `team/a/compressed-blobs/zstd/blake3/${hash}/0`,
      { compressor: "zstd", digestFunction: "blake3" },
    ],
    [`blobs/blake3/${hash}/0`, { compressor: "identity", digestFunction: "blake3" }],
  ])("is read from %s", (name, parts) => {
    expect(parseReadResource(name)).toMatchObject({ ...parts, digest: { hash, sizeBytes: 0 } });
  });

  it.each([
    [`uploads/u-1/blobs/${hash}/0`, { instance: "", uploadId: "u-1" }],
    [`uploads/u-1/blobs/${hash}/0/some/path.txt`, { uploadId: "u-1", compressor: "identity" }],
    [
      `team/a/uploads/1/compressed-blobs/zstd/blake3/${hash}/33`,
      { instance: "team/a", compressor: "zstd", digestFunction: "blake3" },
    ],
  ])("of an upload is read from %s", (name, parts) => {
    expect(parseWriteResource(name)).toMatchObject(parts);
  });

  it.each([
    "",
    "blobs",
    hash,
    `blobs/${hash}`,
    `blobs/${hash}/`,
    `blobs/${hash}/-1`,
    `blobs/${hash}/1x`,
    `blobs/${hash}/01`,
    `blobs/${hash}/99999999999999999`,
    `blobs/${hash.toUpperCase()}/0`,
    `blobs/${hash.slice(1)}/0`,
    `/blobs/${hash}/0`,
    `a//b/blobs/${hash}/0`,
    `blobs/${hash}/0/more`,
    `blobs/sha256/${hash}/0`,
    `blobs/md5/${hash}/0`,
    `compressed-blobs/${hash}/0`,
    `compressed-blobs/identity/${hash}/0`,
    `compressed-blobs/deflate/${hash}/0`,
    `actions/blobs/${hash}/0`,
    `uploads/u/blobs/${hash}/0`,
    `${"a/".repeat(3000)}blobs/${hash}/0`,
  ])("is not read from %s", (name) => {
    expect(parseReadResource(name)).toHaveProperty("problem");
  });

  it.each([
    `blobs/${hash}/0`,
    `uploads/blobs/${hash}/0`,
    `uploads//blobs/${hash}/0`,
    `uploads/u/${hash}/0`,
    `uploads/../blobs/${hash}/0`,
    `uploads/u/blobs/${hash}`,
  ])("of an upload is not read from %s", (name) => {
    expect(parseWriteResource(name)).toHaveProperty("problem");
  });

  it("is read as it was written, whatever instance, function, compressor and digest", () => {
    const segment = stringMatching(/^[a-z0-9.@+:-]{1,12}$/).filter(
      (text) => !["blobs", "uploads", "actions", "operations", "capabilities"].includes(text),
    );
    const resource = record({
      instance: array(segment, { maxLength: 4 }).map((segments) => segments.join("/")),
      digestFunction: constantFrom("sha256" as const, "blake3" as const),
      digest: record({ hash: stringMatching(/^[0-9a-f]{64}$/), sizeBytes: nat() }),
      compressor: constantFrom("identity" as const, "zstd" as const),
    });
    assert(
      property(resource, (blob) => {
        expect(parseReadResource(formatReadResource(blob))).toEqual(blob);
        const upload = { ...blob, uploadId: "7f3c-1" };
        expect(parseWriteResource(formatWriteResource(upload))).toEqual(upload);
      }),
    );
  });

  it("is refused or read, and never fails, for any text", () => {
    assert(
      property(string({ unit: "binary", maxLength: 60 }), (name) => {
        expect(() => [parseReadResource(name), parseWriteResource(name)]).not.toThrow();
      }),
    );
  });
});
