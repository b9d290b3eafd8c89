import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMessage, maxMessageParts } from "./decode-message.ts";
import { ActionResultSchema, DirectorySchema, TreeSchema } from "./messages.ts";

const repeated = (unit: readonly number[], count: number) =>
  Buffer.alloc(unit.length * count, Uint8Array.from(unit));

describe("a message of somebody else", () => {
  it.each([
    ["messages in it", [0x12, 0]],
    ["messages in those", [0x12, 2, 0x0a, 0]],
    ["fields that nobody knows", [0xf8, 0x7f, 0]],
  ])("is refused before it takes the memory of too many %s", (_, unit) => {
    const bytes = repeated(unit, maxMessageParts + 1);
    expect(() => decodeMessage(TreeSchema, bytes)).toThrow(/more than 2000000 parts/);
  });

  it("is read as ever up to there", () => {
    const unit = [0x12, 2, 0x18, 0];
    const { children } = decodeMessage(TreeSchema, repeated(unit, 100_000));
    expect(children).toHaveLength(100_000);
    const name = "x".repeat(300 * 1024);
    const directory = create(DirectorySchema, { symlinks: [{ name, target: "to" }] });
    expect(decodeMessage(DirectorySchema, toBinary(DirectorySchema, directory))).toEqual(directory);
  });

  it("is what the generated code says, be it long and malformed", () => {
    const filler = repeated([0x2a, 0x03, 1, 2, 3], 60_000);
    assert(
      property(uint8Array({ maxLength: 60 }), (tail) => {
        const bytes = Buffer.concat([filler, tail]);
        const outcome = (read: typeof fromBinary) => {
          try {
            return read(ActionResultSchema, bytes);
          } catch (error) {
            return String(error);
          }
        };
        expect(outcome(decodeMessage)).toEqual(outcome(fromBinary));
      }),
      { numRuns: 200 },
    );
  });
});
