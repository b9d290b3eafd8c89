/** One entry of an archive, its header checked; its bytes are passed over. */
export interface TarEntry {
  readonly path: string;
  /** As the header says: "0" a file, "2" a link, "5" a folder … */
  readonly type: string;
  readonly sizeBytes: number;
  /** Of a link. */
  readonly target: string;
  /** The bytes of a small file (at most 8 KiB); undefined for others. */
  readonly content: Buffer | undefined;
}

const blockBytes = 512;
/** The extended headers that carry long names: no path is longer (1 MiB). */
const maxExtensionBytes = 1024 * 1024;
const keptContentBytes = 8 * 1024;
/** Types of entries that are names for what follows. */
const extensions = "LKx";

/** Is given the bytes of a file as they pass. */
type Watch = (path: string) => ((bytes: Uint8Array) => void) | undefined;

/** What is no archive, or ends before its end. */
export class TarError extends Error {
  override readonly name = "TarError";
}

interface Header {
  readonly path: string;
  readonly type: string;
  readonly sizeBytes: number;
  readonly target: string;
}

/**
 * Walks a tar stream (ustar, with GNU's and pax' long names), checking every header's sum, to the two empty blocks at its end. What programs read
 * differently (two names of one entry, names and sizes for what follows) is refused.
 * @throws {TarError}, and what `watch` throws
 */
export async function* tarEntries(
  chunks: AsyncIterable<Uint8Array>,
  watch: Watch,
): AsyncGenerator<TarEntry> {
  const reader = createReader(chunks);
  let long: { path?: string; target?: string } = {};
  for (;;) {
    const block = await reader.take(blockBytes);
    if (block.every((byte) => byte === 0)) return;
    const header = parseHeader(block);
    const padded = Math.ceil(header.sizeBytes / blockBytes) * blockBytes;
    if (extensions.includes(header.type)) {
      if (header.sizeBytes > maxExtensionBytes) throw new TarError("a name is too long");
      const bytes = (await reader.take(padded)).subarray(0, header.sizeBytes);
      const more = extensionOf(header.type, bytes);
      if (Object.keys(more).some((name) => name in long))
        throw new TarError("an entry has two names");
      Object.assign(long, more);
      continue;
    }
    const path = long.path ?? header.path;
    const onBytes = watch(path);
    let content: Buffer | undefined;
    if (header.sizeBytes <= keptContentBytes) {
      content = (await reader.take(padded)).subarray(0, header.sizeBytes);
      onBytes?.(content);
    } else {
      await reader.skip(header.sizeBytes, onBytes);
      await reader.skip(padded - header.sizeBytes);
    }
    yield {
      ...header,
      path,
      target: long.target ?? header.target,
      content,
    };
    long = {};
  }
}

function parseHeader(block: Buffer): Header {
  const text = (start: number, length: number): string => {
    const field = block.subarray(start, start + length);
    const end = field.indexOf(0);
    return field.toString("utf8", 0, end < 0 ? length : end);
  };
  // Its own field counts as spaces.
  const sum = block.reduce(
    (total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte),
    0,
  );
  if (numberOf(block.subarray(148, 156)) !== sum)
    throw new TarError("the sum of a header is wrong");
  const format = block.toString("latin1", 257, 265);
  const type = block[156] === 0 ? "0" : String.fromCharCode(block[156] ?? 0);
  const prefix = format.startsWith("ustar\0") ? text(345, 155) : "";
  // Nx' client goes by the version, too: another one is an older format to it, which has neither prefixes nor extended headers.
  const isOld = format !== "ustar\x0000" && format !== "ustar  \0";
  if (isOld && (prefix !== "" || extensions.includes(type)))
    throw new TarError("a header is of no known format");
  const name = text(0, 100);
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    type,
    sizeBytes: numberOf(block.subarray(124, 136)),
    target: text(157, 100),
  };
}

/** Octal digits, or a binary number behind a set highest bit. */
function numberOf(field: Buffer): number {
  const first = field[0] ?? 0;
  if ((first & 0x80) !== 0) {
    const value = field.subarray(1).reduce((total, byte) => total * 256 + byte, first & 0x7f);
    if (!Number.isSafeInteger(value)) throw new TarError("a size is too large");
    return value;
  }
  const digits = field.toString("latin1").replaceAll("\0", " ").trim();
  if (!/^[0-7]*$/.test(digits)) throw new TarError("a number is not octal");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function extensionOf(type: string, bytes: Buffer): { path?: string; target?: string } {
  if (type === "x") return paxNames(bytes);
  const whole = bytes.toString("utf8").replace(/\0$/, "");
  return type === "L" ? { path: whole } : { target: whole };
}

/**
 * pax: `<length> <name>=<value>\n` each, its length in bytes. Some programs go by the length, and some from line to line; of two of one name some take the first, and some
 * the last.
 */
function paxNames(bytes: Buffer): { path?: string; target?: string } {
  const found: { path?: string; target?: string } = {};
  const take = (field: "path" | "target", value: string): void => {
    if (field in found) throw new TarError("an entry has two names");
    found[field] = value;
  };
  for (let at = 0; at < bytes.length;) {
    const line = bytes.subarray(at, bytes.indexOf("\n", at) + 1);
    const [, length, name, value = ""] =
      /^(\d{1,7}) ([^=]+)=(.*)\n$/s.exec(line.toString("utf8")) ?? [];
    if (Number(length) !== line.length) throw new TarError("an extended header is malformed");
    if (name === "path") take("path", value);
    if (name === "linkpath") take("target", value);
    if (name === "size") throw new TarError("a size is in an extended header");
    at += line.length;
  }
  return found;
}

function createReader(chunks: AsyncIterable<Uint8Array>) {
  const source = chunks[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  const more = async (): Promise<void> => {
    const next = await source.next();
    if (next.done === true) throw new TarError("it ends in the middle");
    rest = next.value;
  };
  return {
    async take(count: number): Promise<Buffer> {
      const parts: Uint8Array[] = [];
      for (let left = count; left > 0;) {
        if (rest.length === 0) await more();
        const part = rest.subarray(0, left);
        parts.push(part);
        rest = rest.subarray(part.length);
        left -= part.length;
      }
      return Buffer.concat(parts);
    },
    async skip(count: number, onBytes?: (bytes: Uint8Array) => void): Promise<void> {
      for (let left = count; left > 0;) {
        if (rest.length === 0) await more();
        const part = rest.subarray(0, left);
        onBytes?.(part);
        rest = rest.subarray(part.length);
        left -= part.length;
      }
    },
  };
}
