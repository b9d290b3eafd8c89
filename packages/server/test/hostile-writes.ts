import { deflateRawSync, zstdCompressSync } from "node:zlib";
import { delimited, mutated, numbered } from "./hostile-messages.ts";
import { knownBlob, type Making, resourceName } from "./hostile-names.ts";
import type { Random } from "./seeded-random.ts";

interface WriteStep {
  readonly name: string;
  readonly offset: number;
  readonly isFinished: boolean;
  readonly data: Buffer;
}

/** The messages of an upload over ByteStream: sound ones, and those that go wrong in one or two ways. */
export function hostileWrite(making: Making): Buffer[] {
  const { random } = making;
  const { name, wire } = begun(making);
  // Where the upload of another call may have got to.
  const size = random.chance(0.8)
    ? 1 + Math.ceil(wire.length / 3)
    : random.pick([16_384, 1_000_000]);
  const from = random.chance(0.3) ? random.pick([size, size, size * 2, 1, wire.length]) : 0;
  let steps = stepsOf(name, wire, from, size);
  for (
    let faults = random.chance(making.wildness * 2) ? random.pick([1, 1, 2]) : 0;
    faults > 0;
    faults -= 1
  )
    steps = spoiled(making, steps, wire);
  return steps.map(encoded);
}

/** A name, and what is sent under it. */
function begun(making: Making): { readonly name: string; readonly wire: Buffer } {
  const { random, known, wildness } = making;
  const uploadId = random.pick(making.uploadIds);
  if (random.chance(wildness))
    return { name: resourceName(making, uploadId), wire: random.pick(known.blobs).bytes };
  const content = contentOf(random);
  const { digestFunction, digest } = knownBlob(
    content,
    random.pick(["sha256", "sha256", "blake3"]),
  );
  const isZstd = random.chance(0.3);
  // What never comes to be stored is uploaded again and again: calls take over from one another.
  const bytes = random.chance(0.5)
    ? content
    : Buffer.from(content.map((byte, at) => (at === 0 ? byte ^ 1 : byte)));
  const name = [
    ...(random.chance(0.8) ? [] : ["main"]),
    "uploads",
    uploadId,
    ...(isZstd ? ["compressed-blobs", "zstd"] : ["blobs"]),
    ...(digestFunction === "sha256" ? [] : [digestFunction]),
    digest.hash,
    !random.chance(wildness) ? digest.sizeBytes : digest.sizeBytes + random.pick([-1, 1, 1000]),
  ].join("/");
  return { name, wire: isZstd ? compressed(making, bytes) : bytes };
}

/** Few contents, so that calls meet. */
function contentOf(random: Random): Buffer {
  if (random.chance(0.005)) return Buffer.alloc(5_000_000, random.below(4));
  const size = random.pick([0, 1, 1000, 1001, 70_000, 300_000]);
  return Buffer.alloc(size, `content ${random.below(random.pick([3, 2000]))}`);
}

function compressed({ random, wildness }: Making, bytes: Buffer): Buffer {
  const whole = zstdCompressSync(bytes);
  if (!random.chance(wildness * 2)) return whole;
  switch (random.below(6)) {
    case 0:
      return mutated(random, whole);
    case 1:
      return Buffer.concat([
        zstdCompressSync(bytes.subarray(0, 5)),
        zstdCompressSync(bytes.subarray(5)),
      ]);
    case 2:
      return Buffer.concat([whole, random.bytes(1 + random.below(30))]);
    case 3:
      return Buffer.concat([whole, whole]);
    case 4:
      return deflateRawSync(bytes);
    default:
      return bomb;
  }
}

/** 64 MiB of nothing in 6 KiB. */
const bomb: Buffer = zstdCompressSync(Buffer.alloc(64 * 1024 * 1024));

function stepsOf(name: string, wire: Buffer, from: number, size: number): WriteStep[] {
  const steps: WriteStep[] = [];
  for (let at = Math.min(from, wire.length); ; at += size) {
    const data = wire.subarray(at, at + size);
    const isFinished = at + size >= wire.length;
    steps.push({ name: steps.length === 0 ? name : "", offset: at, isFinished, data });
    if (isFinished) return steps;
  }
}

function spoiled(making: Making, steps: readonly WriteStep[], wire: Buffer): WriteStep[] {
  const { random } = making;
  const at = random.below(Math.max(1, steps.length));
  const step = steps[at];
  if (step === undefined) return [...steps];
  const replaced = (change: Partial<WriteStep>) => steps.with(at, { ...step, ...change });
  switch (random.below(11)) {
    case 0:
      return replaced({ offset: random.pick([-1, 0, 1, step.offset + 1, 2 ** 53, wire.length]) });
    case 1:
      return replaced({ isFinished: !step.isFinished });
    case 2:
      return [...steps, { name: "", offset: wire.length, isFinished: true, data: Buffer.alloc(0) }];
    case 3:
      return replaced({ name: resourceName(making, random.pick(making.uploadIds)) });
    case 4:
      return replaced({ name: "" });
    case 5:
      return replaced({ data: mutated(random, step.data) });
    case 6:
      return steps.toSpliced(at, 1);
    case 7:
      return steps.toSpliced(at, 0, step);
    case 8:
      return steps.toReversed();
    case 9:
      return [...steps, { ...step, offset: wire.length, data: random.bytes(100) }];
    default:
      return steps.toSpliced(
        at,
        0,
        ...Array.from({ length: 200 }, () => ({
          ...step,
          data: Buffer.alloc(0),
          isFinished: false,
        })),
      );
  }
}

function encoded({ name, offset, isFinished, data }: WriteStep): Buffer {
  return Buffer.concat([
    ...(name === "" ? [] : [delimited(1, Buffer.from(name))]),
    ...(offset === 0 ? [] : [numbered(2, BigInt(offset))]),
    ...(isFinished ? [numbered(3, 1n)] : []),
    ...(data.length === 0 ? [] : [delimited(10, data)]),
  ]);
}
