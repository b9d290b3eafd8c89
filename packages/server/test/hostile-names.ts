import { type Digest, type DigestFunction, hashBytes } from "@cuenv/digest";
import type { Random } from "./seeded-random.ts";

/** A blob that the server has: names that nearly fit something lead further than those that fit nothing. */
export interface KnownBlob {
  readonly digestFunction: DigestFunction;
  readonly digest: Digest;
  readonly bytes: Buffer;
}

export interface KnownBlobs {
  readonly blobs: readonly KnownBlob[];
}

/** What calls are made with. */
export interface Making {
  readonly random: Random;
  readonly known: KnownBlobs;
  readonly uploadIds: readonly string[];
  /** How often something is not as it should be, from 0 to 1. A call with one fault is refused later than one with ten. */
  readonly wildness: number;
}

export function knownBlob(bytes: Buffer, digestFunction: DigestFunction = "sha256"): KnownBlob {
  return { digestFunction, digest: hashBytes(digestFunction, bytes), bytes };
}

const huge = 5000;
const traversal = ["..", ".", "../..", "../../../../etc/passwd", "/etc/passwd", "%2e%2e%2f"];
const oddTexts = [
  "",
  "\0",
  "a\0b",
  "\n",
  "ä𝄞",
  "\ud800",
  "__proto__",
  "constructor",
  "${HOME}",
  "a".repeat(huge),
  ...traversal,
];

export function text(random: Random, wildness: number): string {
  return random.chance(wildness) ? random.pick(oddTexts) : `name-${random.below(50)}`;
}

export function instanceName(random: Random, wildness: number): string {
  if (!random.chance(wildness)) return random.pick(["", "main", "main/linux", "other"]);
  return random.pick([
    ...oddTexts,
    "main/",
    "/main",
    "main//linux",
    "main/..",
    "main/blobs",
    "uploads/1",
    "MAIN",
    "m".repeat(200),
    "deep/".repeat(40).slice(0, -1),
  ]);
}

export function hashText(random: Random, { blobs }: KnownBlobs): string {
  const { digest } = random.pick(blobs);
  if (random.chance(0.5)) return digest.hash;
  return random.pick([
    random.bytes(32).toString("hex"),
    digest.hash.toUpperCase(),
    digest.hash.slice(1),
    `${digest.hash}0`,
    digest.hash.repeat(2),
    "/".repeat(64),
    "\0".repeat(64),
    "g".repeat(64),
    "0".repeat(64),
    `../${digest.hash.slice(3)}`,
    random.bytes(20).toString("hex"),
    ...oddTexts,
  ]);
}

const oddSizes = [0n, 1n, -1n, 255n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];

/** Sizes, offsets, limits. */
export function sizeNumber(random: Random, { blobs }: KnownBlobs): bigint {
  const size = BigInt(random.pick(blobs).digest.sizeBytes);
  return random.pick([size, size, size - 1n, size + 1n, size / 2n, ...oddSizes]);
}

const compressors = ["zstd", "zstd", "zstd", "identity", "brotli", "", "ZSTD", "../zstd"];

/** What ByteStream calls a blob, or what nearly is that. `uploadId`: it is to be written. */
export function resourceName(making: Making, uploadId?: string): string {
  const { random, known, wildness } = making;
  const { digestFunction, digest } = random.pick(known.blobs);
  const isFitting = !random.chance(wildness);
  const instance = instanceName(random, wildness / 2);
  const isCompressed = random.chance(0.4);
  const segments = [
    ...(instance === "" ? [] : instance.split("/")),
    ...(uploadId === undefined ? [] : ["uploads", uploadId]),
    ...(isCompressed
      ? ["compressed-blobs", isFitting ? "zstd" : random.pick(compressors)]
      : ["blobs"]),
    ...functionSegments(making, digestFunction),
    ...(isFitting
      ? [digest.hash, String(digest.sizeBytes)]
      : [hashText(random, known), sizeText(random, known)]),
    ...(random.chance(wildness / 4) ? ["more", text(random, wildness)] : []),
  ];
  return random.chance(wildness / 2) ? bent(random, segments) : segments.join("/");
}

function functionSegments({ random, wildness }: Making, digestFunction: DigestFunction): string[] {
  if (random.chance(wildness / 10))
    return [random.pick(["sha1", "md5", "SHA256", "blake3", "sha256"])];
  return digestFunction === "sha256" ? [] : [digestFunction];
}

function sizeText(random: Random, known: KnownBlobs): string {
  const odd = ["", "-0", "+1", "1e3", "0x10", "007", " 1", "1 ", "NaN", "9".repeat(400)];
  return random.chance(0.7) ? String(sizeNumber(random, known)) : random.pick(odd);
}

/** One segment gone, doubled, swapped or replaced, or a byte too many. */
function bent(random: Random, segments: readonly string[]): string {
  const at = random.below(segments.length);
  switch (random.below(5)) {
    case 0:
      return segments.toSpliced(at, 1).join("/");
    case 1:
      return segments.toSpliced(at, 0, segments[at] ?? "").join("/");
    case 2:
      return segments.toSpliced(at, 1, random.pick(oddTexts)).join("/");
    case 3:
      return segments.toReversed().join("/");
    default: {
      const name = segments.join("/");
      const place = random.below(name.length + 1);
      return name.slice(0, place) + random.pick(oddTexts) + name.slice(place);
    }
  }
}
