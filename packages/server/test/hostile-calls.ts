import type { DescMessage, DescMethod } from "@bufbuild/protobuf";
import {
  ActionCache,
  ByteStream,
  Capabilities,
  ContentAddressableStorage as Cas,
  Health,
} from "@cuenv/reapi/messages";
import { deflateSync, gzipSync } from "node:zlib";
import { hostileMessage, mutated } from "./hostile-messages.ts";
import type { Making } from "./hostile-names.ts";
import { hostileWrite } from "./hostile-writes.ts";
import { frame } from "./raw-grpc.ts";
import { token } from "./running-server.ts";
import type { Random } from "./seeded-random.ts";

/** A call as no client of ours makes it. */
export interface HostileCall {
  readonly headers: Readonly<Record<string, string>>;
  /** What is sent, piece by piece. */
  readonly pieces: readonly Buffer[];
  /** `silence`: neither more nor an end comes. `vanish`: the connection is broken off, and has to be the call's own. */
  readonly ending: "end" | "silence" | "vanish";
  /** How long the client waits before it vanishes. */
  readonly pauseMs: number;
  /** What a message of the answer is; undefined: the method is none of the server's. */
  readonly answer: DescMessage | undefined;
  /** No gRPC: HTTP says so. */
  readonly isForeign: boolean;
  /** Its body has another length than it says. That is no HTTP/2, as the library below has it: it resets the stream, or ends the connection, which others have no part in. */
  readonly isMalformed: boolean;
}

/** Reads `other`, and `main` besides. */
export const readerToken = "a-token-to-read";

const methods: readonly DescMethod[] = [Capabilities, ActionCache, Cas, ByteStream, Health].flatMap(
  (service) => service.methods,
);

export function hostileCall(making: Making): HostileCall {
  const { random } = making;
  const method = random.chance(0.2) ? ByteStream.method.write : random.pick(methods);
  const isUnknown = random.chance(0.02);
  const path = isUnknown ? oddPath(random) : pathOf(method);
  const encoding = random.chance(0.05) ? random.pick(["gzip", "deflate", "snappy", ""]) : undefined;
  const messages = messagesOf(making, method);
  const bytes = spoiledFrames(random, framesOf(random, messages, encoding));
  const ending = method === Health.method.watch ? "silence" : endingOf(random);
  const odd = oddHeader(random);
  const type = random.chance(0.02) ? random.pick(foreignTypes) : "application/grpc";
  return {
    headers: {
      ":method": random.chance(0.01) ? random.pick(["GET", "PUT", "OPTIONS"]) : "POST",
      ":path": path,
      ...(type === "" ? {} : { "content-type": type }),
      te: "trailers",
      ...(encoding === undefined ? {} : { "grpc-encoding": encoding }),
      ...tokenHeader(random),
      ...timeoutHeader(random, ending),
      ...odd,
    },
    pieces: cutUp(random, bytes),
    ending,
    pauseMs: random.pick([0, 0, 1, 5]),
    answer: isUnknown ? undefined : method.output,
    isMalformed: odd["content-length"] !== undefined,
    isForeign: !type.startsWith("application/grpc"),
  };
}

const foreignTypes = ["", "application/json", "text/html", "application/x-protobuf", "grpc"];

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function oddPath(random: Random): string {
  return random.pick([
    "/",
    "//",
    "/google.bytestream.ByteStream/Delete",
    "/build.bazel.remote.execution.v2.Execution/Execute",
    `/${"x".repeat(600)}`,
    "/../../etc/passwd",
    "/%00",
    "/__proto__/constructor",
  ]);
}

function messagesOf(making: Making, method: DescMethod): Buffer[] {
  const { random } = making;
  if (method === ByteStream.method.write && random.chance(0.9)) return hostileWrite(making);
  const count = random.chance(0.9) ? 1 : random.below(4);
  return Array.from({ length: count }, () => hostileMessage(making, method.input));
}

function framesOf(random: Random, messages: readonly Buffer[], encoding?: string): Buffer[] {
  return messages.map((message) => {
    const isFlagged = random.chance(encoding === undefined ? 0.01 : 0.7);
    return isFlagged ? frame(packed(random, message, encoding), 1) : frame(message);
  });
}

/** As `grpc-encoding` says, something else, or what grows beyond every limit. */
function packed(random: Random, message: Buffer, encoding: string | undefined): Buffer {
  if (random.chance(0.1)) return bomb;
  if (random.chance(0.2)) return mutated(random, message);
  return encoding === "deflate" ? deflateSync(message) : gzipSync(message);
}

/** 64 MiB of nothing in 64 KiB. */
const bomb: Buffer = gzipSync(Buffer.alloc(64 * 1024 * 1024));

function spoiledFrames(random: Random, frames: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(frames);
  if (random.chance(0.9) || whole.length === 0) return whole;
  switch (random.below(5)) {
    case 0:
      return whole.subarray(0, random.below(whole.length));
    case 1:
      return withLength(
        whole,
        random.pick([0, 1, 2 ** 31, 2 ** 32 - 1, 9 * 1024 * 1024, 8_388_608]),
      );
    case 2:
      return withFlag(whole, 1 + random.below(255));
    case 3:
      return Buffer.concat([whole, random.bytes(1 + random.below(10))]);
    default:
      // Frames without end: each is nothing.
      return Buffer.alloc(5 * random.pick([10, 1000, 20_000]));
  }
}

function withLength(frames: Buffer, length: number): Buffer {
  const changed = Buffer.from(frames);
  changed.writeUInt32BE(length, 1);
  return changed;
}

function withFlag(frames: Buffer, flag: number): Buffer {
  const changed = Buffer.from(frames);
  changed[0] = flag;
  return changed;
}

function endingOf(random: Random): HostileCall["ending"] {
  if (random.chance(0.85)) return "end";
  return random.pick(["silence", "vanish"]);
}

function cutUp(random: Random, bytes: Buffer): Buffer[] {
  if (random.chance(0.6)) return [bytes];
  const pieces: Buffer[] = [];
  const size = random.pick([1, 4, 5, 100, 16_384]);
  const least = Math.max(size, Math.ceil(bytes.length / 50));
  for (let at = 0; at < bytes.length; at += least) pieces.push(bytes.subarray(at, at + least));
  return pieces;
}

function tokenHeader(random: Random): Record<string, string> {
  if (random.chance(0.9)) return { authorization: `Bearer ${token}` };
  if (random.chance(0.2)) return {};
  const odd = [readerToken, "", "x".repeat(600), " ", `${token} `, token.toUpperCase()];
  return { authorization: random.pick(["Bearer ", "Basic ", ""]) + random.pick(odd) };
}

/** Who is silent sets himself a bound: a minute of the server's own would be long here. */
function timeoutHeader(random: Random, ending: HostileCall["ending"]): Record<string, string> {
  if (ending === "silence") return { "grpc-timeout": `${1 + random.below(60)}m` };
  if (random.chance(0.95)) return {};
  const odd = ["1n", "0m", "99999999H", "-1S", "1", "S", "123456789m", "1.5S", ""];
  return { "grpc-timeout": random.pick(odd) };
}

function oddHeader(random: Random): Record<string, string> {
  if (random.chance(0.95)) return {};
  const prefix = "build.bazel.remote.execution.v2";
  return random.pick<Record<string, string>>([
    { [`${prefix}.resource-name`]: "blobs/x/1" },
    { [`${prefix}.requestmetadata-bin`]: random.bytes(50).toString("base64") },
    { [`${prefix}.requestmetadata-bin`]: "%%%" },
    { "grpc-accept-encoding": "br" },
    { "content-length": "7" },
    { "x-long": "y".repeat(600) },
  ]);
}
