import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { mutated } from "./hostile-messages.ts";
import { hostileCall } from "./hostile-calls.ts";
import type { Making } from "./hostile-names.ts";
import type { Random } from "./seeded-random.ts";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** SETTINGS, WINDOW_UPDATE, RST_STREAM, PING, GOAWAY and others, by their numbers. */
const frameTypes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 200];

/** One HTTP/2 frame (RFC 9113, 4.1). */
function http2Frame(random: Random): Buffer {
  const payload = random.bytes(random.pick([0, 4, 5, 8, 6, 30, 300]));
  const flags = random.chance(0.5) ? random.below(256) : random.pick([0, 1, 4, 5]);
  const stream = random.pick([0, 0, 1, 1, 3, 2, 2 ** 31 - 1]);
  const length = random.chance(0.9) ? payload.length : random.below(2 ** 24);
  return frameOf(random.pick(frameTypes), flags, stream, payload, length);
}

const maxFrameBytes = 16_384;

function frameOf(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer,
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** One header of `length` bytes, where the server takes 16 KiB of all: HEADERS, then CONTINUATION until all of it is sent, or nearly. */
function longHeaders(random: Random): Buffer {
  const length = random.pick([10_000, 17_000, 70_000, 300_000]);
  // :method POST, :scheme http, :path /, then a literal that is not indexed (RFC 7541, 6.2.2).
  const head = Buffer.from([0x83, 0x86, 0x84, 0x00, 1, 0x78, 0x7f]);
  const rest = [
    ((length - 127) % 128) | 0x80,
    (((length - 127) >> 7) % 128) | 0x80,
    (length - 127) >> 14,
  ];
  const block = Buffer.concat([head, Buffer.from(rest), Buffer.alloc(length, "y")]);
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += maxFrameBytes) {
    const part = block.subarray(at, at + maxFrameBytes);
    const isLast = at + maxFrameBytes >= block.length;
    frames.push(frameOf(at === 0 ? 1 : 9, isLast ? 4 : 0, 1, part));
  }
  return Buffer.concat(random.chance(0.8) ? frames : frames.slice(0, -1));
}

/** Calls side by side in their frames: most are reset, before their end, with it or after it. */
function resetCalls(making: Making): Buffer[] {
  const { random } = making;
  const calls = Array.from({ length: 1 + random.below(8) }, (_, index) => {
    const { headers, pieces } = hostileCall(making);
    const stream = 1 + 2 * index;
    const fields = Object.entries({ ...headers, ":scheme": "http", ":authority": "cache" });
    fields.sort(([left], [right]) => Number(right.startsWith(":")) - Number(left.startsWith(":")));
    const block = Buffer.concat(fields.flatMap(([name, value]) => [text(name, 0x00), text(value)]));
    const data = Buffer.concat(pieces).subarray(0, 4 * maxFrameBytes);
    const frames = [frameOf(1, 4, stream, block)];
    for (let at = 0; at < data.length; at += maxFrameBytes)
      frames.push(frameOf(0, 0, stream, data.subarray(at, at + maxFrameBytes)));
    if (random.chance(0.5)) frames.push(frameOf(0, 1, stream, Buffer.alloc(0)));
    const reset = frameOf(3, 0, stream, Buffer.from([0, 0, 0, random.below(14)]));
    if (random.chance(0.9)) frames.splice(1 + random.below(frames.length), frames.length, reset);
    return frames;
  });
  const mixed: Buffer[] = [];
  for (let left = calls.filter((frames) => frames.length > 0); left.length > 0;) {
    const frames = random.chance(0.5) ? left[0] : random.pick(left);
    const frame = frames?.shift();
    if (frame !== undefined) mixed.push(frame);
    left = left.filter(({ length }) => length > 0);
  }
  return mixed;
}

/** A literal that is not indexed and has no Huffman code (RFC 7541, 5.2 and 6.2.2): the name with `kind` before it, or the value. */
function text(value: string, kind?: number): Buffer {
  const bytes = Buffer.from(value);
  const start = kind === undefined ? [] : [kind];
  const rest = bytes.length - 127;
  const length =
    rest < 0 ? [bytes.length] : [0x7f, ...(rest < 128 ? [rest] : [(rest % 128) | 0x80, rest >> 7])];
  return Buffer.concat([Buffer.from([...start, ...length]), bytes]);
}

/** A connection on which no sound HTTP/2 comes, or calls that are reset; it is broken off when nothing more is to be said, read or not. */
export async function hostileConnection(making: Making, port: number): Promise<void> {
  const { random } = making;
  const socket = connect({ host: "127.0.0.1", port });
  const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  socket.on("error", () => undefined);
  if (random.chance(0.7)) socket.resume();
  const start = random.chance(0.8) ? [preface, Buffer.from("000000040000000000", "hex")] : [];
  const isSound = random.chance(0.6);
  const frames = isSound
    ? resetCalls(making)
    : Array.from({ length: random.below(20) }, () => http2Frame(random));
  const long = random.chance(0.1) ? [longHeaders(random)] : [];
  const bytes = Buffer.concat([...start, ...long, ...frames]);
  const isCut = random.chance(0.1);
  if (isCut) socket.write(mutated(random, bytes));
  else if (isSound && random.chance(0.5))
    for (const frame of [...start, ...frames]) {
      socket.write(frame);
      if (random.chance(0.3)) await delay(random.below(3));
    }
  else socket.write(bytes);
  await Promise.race([closed, delay(random.below(20))]);
  if (random.chance(0.5)) socket.resetAndDestroy();
  else socket.destroy();
  await closed;
}
