import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { zstdCompressSync } from "node:zlib";
import type { Random } from "./seeded-random.ts";
import {
  hashText,
  instanceName,
  type Making,
  resourceName,
  sizeNumber,
  text,
} from "./hostile-names.ts";

const maxDepth = 6;
const lengthDelimited = 2;

/** The bytes of a message as its schema has it, with values that are right, nearly right and wrong; now and then bytes that no writer makes. */
export function hostileMessage(making: Making, schema: DescMessage): Buffer {
  const { random, wildness } = making;
  const bytes = messageBytes(making, schema, 0);
  return random.chance(wildness / 2) ? mutated(random, bytes) : bytes;
}

function messageBytes(making: Making, schema: DescMessage, depth: number): Buffer {
  const { random, wildness } = making;
  if (schema.name === "Digest" && !random.chance(wildness)) return digestBytes(making);
  if (schema.typeName.endsWith("BatchUpdateBlobsRequest.Request") && !random.chance(wildness))
    return uploadBytes(making);
  const pieces: Buffer[] = [];
  for (const field of schema.fields) {
    if (random.chance(wildness / 2)) continue;
    const isList = field.fieldKind === "list";
    const count = isList ? random.pick([0, 1, 1, 2, 3, 40]) : random.chance(0.03) ? 2 : 1;
    for (let made = 0; made < count; made += 1) pieces.push(fieldBytes(making, field, depth));
  }
  return Buffer.concat(pieces);
}

/** A digest of a blob that the server has. */
function digestBytes({ random, known }: Making): Buffer {
  const { hash, sizeBytes } = random.pick(known.blobs).digest;
  return Buffer.concat([delimited(1, Buffer.from(hash)), numbered(2, BigInt(sizeBytes))]);
}

/** A digest with its bytes, sometimes those of another. */
function uploadBytes({ random, known, wildness }: Making): Buffer {
  const { digest, bytes } = random.pick(known.blobs);
  const data = random.chance(wildness) ? random.pick(known.blobs).bytes : bytes;
  const isZstd = random.chance(0.3);
  const sent = isZstd ? zstdCompressSync(data) : data;
  const name = Buffer.concat([
    delimited(1, Buffer.from(digest.hash)),
    numbered(2, BigInt(digest.sizeBytes)),
  ]);
  return Buffer.concat([
    delimited(1, name),
    delimited(2, random.chance(wildness) ? mutated(random, sent) : sent),
    numbered(3, isZstd || random.chance(wildness / 4) ? 1n : 0n),
  ]);
}

function fieldBytes(making: Making, field: DescField, depth: number): Buffer {
  const { random, wildness } = making;
  if (random.chance(wildness / 20)) return wrongType(making, field);
  const message = field.message;
  if (message !== undefined) {
    const nested = depth < maxDepth ? messageBytes(making, message, depth + 1) : Buffer.alloc(0);
    return delimited(field.number, nested);
  }
  if (field.enum !== undefined)
    return numbered(field.number, random.pick(random.chance(wildness) ? oddNumbers : usualNumbers));
  const { scalar } = field;
  if (scalar === ScalarType.STRING) return delimited(field.number, textBytes(making, field.name));
  if (scalar === ScalarType.BYTES) return delimited(field.number, dataBytes(making));
  if (scalar === ScalarType.BOOL) return numbered(field.number, BigInt(random.below(2)));
  const isUsual = !random.chance(wildness);
  return numbered(field.number, isUsual ? random.pick([0n, 1n]) : sizeNumber(random, making.known));
}

function textBytes(making: Making, name: string): Buffer {
  const { random, known, wildness } = making;
  if (random.chance(wildness / 20)) return Buffer.from([0xff, 0xfe, 0xc0]);
  switch (name) {
    case "hash":
      return Buffer.from(hashText(random, known));
    case "instance_name":
      return Buffer.from(instanceName(random, wildness));
    case "resource_name": {
      const uploadId = random.pick(making.uploadIds);
      return Buffer.from(resourceName(making, random.chance(0.2) ? uploadId : undefined));
    }
    case "page_token":
      return Buffer.from(
        random.chance(wildness) ? random.pick(["1", "-1", "999999999", "1e9"]) : "",
      );
    default:
      return Buffer.from(text(random, wildness));
  }
}

function dataBytes({ random, known }: Making): Buffer {
  return random.chance(0.5) ? random.pick(known.blobs).bytes : random.bytes(random.below(300));
}

/** Of enums: SHA-256 or whatever comes first there, BLAKE3. */
const usualNumbers = [0n, 0n, 1n, 9n];
const oddNumbers = [2n, 5n, 99n, -1n, 2n ** 31n, 2n ** 63n - 1n];

/** The field's number with bytes of another type. */
function wrongType({ random }: Making, { number }: DescField): Buffer {
  const type = random.below(8);
  return Buffer.concat([varint(BigInt(number * 8 + type)), random.bytes(random.below(12))]);
}

/** Bits flipped, a part cut out or doubled, a length that is not so, or bytes of no message at all. */
export function mutated(random: Random, bytes: Buffer): Buffer {
  const from = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, from + 1 + random.below(20));
  switch (random.below(6)) {
    case 0:
      return bytes.subarray(0, from);
    case 1:
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    case 3:
      return Buffer.concat([
        bytes,
        varint(BigInt((1 + random.below(20)) * 8 + lengthDelimited)),
        varint(2n ** BigInt(random.below(64))),
      ]);
    case 4:
      return random.bytes(random.below(200));
    default: {
      const changed = Buffer.from(bytes);
      for (let flips = 1 + random.below(8); flips > 0 && changed.length > 0; flips -= 1)
        changed[random.below(changed.length)] = random.below(256);
      return changed;
    }
  }
}

export function delimited(field: number, bytes: Uint8Array): Buffer {
  const tag = varint(BigInt(field * 8 + lengthDelimited));
  return Buffer.concat([tag, varint(BigInt(bytes.length)), bytes]);
}

export function numbered(field: number, value: bigint): Buffer {
  return Buffer.concat([varint(BigInt(field * 8)), varint(BigInt.asUintN(64, value))]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
