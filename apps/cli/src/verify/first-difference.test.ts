import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, asyncProperty, uint8Array } from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { type ContentDifference, firstDifference } from "./first-difference.ts";

const folder = mkdtempSync(join(tmpdir(), "difference-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** As a store gives it, in chunks of a few bytes. */
async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

function compare(
  before: string | Buffer,
  after: string | Buffer,
): Promise<ContentDifference | undefined> {
  const path = join(folder, "file");
  writeFileSync(path, after);
  const stored = Buffer.from(before);
  return firstDifference(
    {
      sizeBytes: stored.length,
      whole: () => chunks(stored),
      read: ({ offset, length }) => chunks(stored.subarray(offset, offset + length)),
    },
    path,
  );
}

describe("firstDifference", () => {
  it("finds nothing in equal files", async () => {
    expect(await compare("", "")).toBeUndefined();
    expect(await compare("one\ntwo\n", "one\ntwo\n")).toBeUndefined();
  });

  it("gives the byte, the line and both lines", async () => {
    expect(await compare("one\ntwo\nthree\n", "one\ntwi\nthree\n")).toEqual({
      offset: 6,
      line: 2,
      before: "two",
      after: "twi",
    });
    expect(await compare("one\n", "one\ntwo\n")).toEqual({
      offset: 4,
      line: 2,
      before: undefined,
      after: "two",
    });
    expect(await compare("one\ntwo", "one")).toEqual({
      offset: 3,
      line: 1,
      before: "one",
      after: "one",
    });
  });

  it("shows a part of a long line, from a little before the difference, and no half letters", async () => {
    const long = "ä".repeat(500);
    const found = await compare(`x\n${long}1${long}`, `x\n${long}2${long}`);
    expect(found).toMatchObject({ offset: 1002, line: 2 });
    expect(found?.before).toMatch(/^ä+1ä+$/);
    expect(found?.after).toMatch(/^ä+2ä+$/);
    expect(Buffer.byteLength(found?.before ?? "")).toBeLessThanOrEqual(120);
  });

  it("gives no lines of what is no text", async () => {
    const bytes = Buffer.from([1, 2, 3, 0, 255]);
    for (const [before, after] of [
      [bytes, Buffer.from([1, 2, 3, 0, 254])],
      [Buffer.from("text\0text a"), Buffer.from("text\0text b")],
      [Buffer.from([0xff, 0xfe]), Buffer.from([0xff, 0xfd])],
    ] as const) {
      expect(await compare(before, after)).toMatchObject({ line: undefined, before: undefined });
    }
  });

  it("finds the first byte that differs, wherever it is", async () => {
    await assert(
      asyncProperty(
        uint8Array({ maxLength: 40 }),
        uint8Array({ maxLength: 40 }),
        async (left, right) => {
          const [before, after] = [Buffer.from(left), Buffer.from(right)];
          const found = await compare(before, after);
          let expected = 0;
          while (
            expected < before.length &&
            expected < after.length &&
            before[expected] === after[expected]
          )
            expected += 1;
          expect(found?.offset).toBe(before.equals(after) ? undefined : expected);
        },
      ),
      { numRuns: 200 },
    );
  });
});
