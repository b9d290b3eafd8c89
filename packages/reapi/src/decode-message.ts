import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { CuenvError } from "@cuenv/errors";

/** The largest tree that a result may name has 500,000 files: each is a node and a digest, and there are folders around them. */
export const maxMessageParts: number = 2_000_000;
/** Shorter ones are not looked at: all that fits into them is less (bytes). */
const unsuspiciousBytes = 256 * 1024;

/**
 * Decodes a message of somebody else. Two bytes of it can be a message within it, or a field that nobody knows, which take a hundred times as much memory: 32 MiB of
 * them are 2 GB (measured) and hold the process up for nine seconds. So they are counted before the first is made.
 * @throws {CuenvError} REAPI_MESSAGE_INVALID when they are too many; what the generated code fails with
 */
export function decodeMessage<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
): MessageShape<Schema> {
  if (bytes.length > unsuspiciousBytes) assertParts(schema, bytes);
  return fromBinary(schema, bytes);
}

/** What a field holds: a message, a value, or (undefined) nobody knows. */
type FieldKind = DescMessage | "value" | undefined;

const kindsOf = new WeakMap<DescMessage, ReadonlyMap<number, FieldKind>>();

function fieldKinds(schema: DescMessage): ReadonlyMap<number, FieldKind> {
  let kinds = kindsOf.get(schema);
  if (kinds === undefined) {
    kinds = new Map(schema.fields.map((field) => [field.number, field.message ?? "value"]));
    kindsOf.set(schema, kinds);
  }
  return kinds;
}

const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;

/** Whatever is malformed is left to the generated code, which ends there, too. */
function assertParts(whole: DescMessage, bytes: Uint8Array): void {
  let position = 0;
  let parts = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[position] ?? 0;
      position += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const count = (schema: DescMessage, end: number): void => {
    const kinds = fieldKinds(schema);
    while (position < end) {
      const tag = readVarint();
      const kind = kinds.get(Math.floor(tag / 8));
      if (kind !== "value" && (parts += 1) > maxMessageParts) throw tooManyParts(whole);
      const wireType = tag % 8;
      if (wireType === varint) readVarint();
      else if (wireType === fixed64 || wireType === fixed32)
        position += wireType === fixed64 ? 8 : 4;
      else if (wireType === lengthDelimited) {
        const length = readVarint();
        const next = Math.min(end, position + length);
        if (typeof kind === "object") count(kind, next);
        position = next;
      }
    }
  };
  count(whole, bytes.length);
}

function tooManyParts({ name }: DescMessage): CuenvError {
  return new CuenvError(
    "REAPI_MESSAGE_INVALID",
    `cannot read message: it is no ${name}, but more than ${maxMessageParts} parts of one`,
  );
}
