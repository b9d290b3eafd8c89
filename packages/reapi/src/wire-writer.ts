import { CuenvError } from "@cuenv/errors";

/**
 * Writes protobuf's wire format: fields in the order of the calls, defaults left out. It covers what the caching
 * messages use: varints up to 2^53, strings, bytes and nested messages.
 *
 * One buffer serves the process; `take` copies the message out of it. A nested message is written behind one
 * byte kept for its length, and moved when the length needs more: most of ours are shorter than 128 bytes.
 */
let buffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
let position = 0;
/** Messages above this are not ours: REAPI servers refuse them long before. */
const maxMessageBytes = 256 * 1024 * 1024;

function reserve(bytes: number): void {
  const needed = position + bytes;
  if (needed <= buffer.length) return;
  if (needed > maxMessageBytes) {
    position = 0;
    throw new CuenvError(
      "REAPI_MESSAGE_INVALID",
      `cannot encode message: it is larger than ${maxMessageBytes} bytes`,
    );
  }
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, buffer.length * 2));
  buffer.copy(larger, 0, 0, position);
  buffer = larger;
}

/** Runs `write` and gives the bytes that it wrote. Not to be nested. */
export function encodeMessage(write: () => void): Uint8Array {
  position = 0;
  write();
  const bytes = Buffer.allocUnsafe(position);
  buffer.copy(bytes, 0, 0, position);
  return bytes;
}

/** The caller has reserved 8 bytes; a safe integer needs no more. */
function putVarint(value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    buffer[position] = (rest % 0x80) + 0x80;
    position += 1;
    rest = Math.floor(rest / 0x80);
  }
  buffer[position] = rest;
  position += 1;
}

function putTag(field: number, wireType: 0 | 2): void {
  putVarint(field * 8 + wireType);
}

/** An int32 or int64 field, or an enum; negative numbers take ten bytes, as protobuf has it. */
export function writeInteger(field: number, value: number): void {
  if (value === 0) return;
  if (!Number.isSafeInteger(value)) {
    throw new CuenvError(
      "REAPI_MESSAGE_INVALID",
      `cannot encode field ${field}: ${value} is not a safe integer`,
    );
  }
  reserve(24);
  putTag(field, 0);
  if (value > 0) {
    putVarint(value);
    return;
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) {
    buffer[position] = Number(rest & 0x7fn) + 0x80;
    position += 1;
  }
  buffer[position] = Number(rest);
  position += 1;
}

export function writeBoolean(field: number, value: boolean): void {
  if (value) writeInteger(field, 1);
}

/** A string field of a singular kind: left out when empty. */
export function writeString(field: number, value: string): void {
  if (value !== "") writeStringItem(field, value);
}

/** An item of a repeated string: written even when empty. */
export function writeStringItem(field: number, value: string): void {
  if (!value.isWellFormed()) {
    // Half a surrogate pair would become U+FFFD, and two different strings the same bytes.
    throw new CuenvError(
      "REAPI_MESSAGE_INVALID",
      `cannot encode field ${field}: ${JSON.stringify(value)} is not well-formed Unicode`,
    );
  }
  reserve(16 + value.length * 3);
  putTag(field, 2);
  const start = position;
  position += 1;
  position += buffer.write(value, position);
  closeLength(start);
}

/** A bytes field: left out when empty. */
export function writeBytes(field: number, value: Uint8Array): void {
  if (value.length === 0) return;
  reserve(16 + value.length);
  putTag(field, 2);
  putVarint(value.length);
  buffer.set(value, position);
  position += value.length;
}

/** A nested message: written even when it is empty, since its presence means something. */
export function writeMessage<T>(field: number, value: T, write: (value: T) => void): void {
  reserve(16);
  putTag(field, 2);
  const start = position;
  position += 1;
  write(value);
  closeLength(start);
}

/** Puts the length of what follows the kept byte at `start` in front of it. */
function closeLength(start: number): void {
  const length = position - start - 1;
  if (length < 0x80) {
    buffer[start] = length;
    return;
  }
  reserve(8);
  const extra = length < 0x4000 ? 1 : length < 0x20_0000 ? 2 : length < 0x1000_0000 ? 3 : 4;
  buffer.copyWithin(start + 1 + extra, start + 1, position);
  position = start;
  putVarint(length);
  position += length;
}
