import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";

/*
 * Files that cuenv made and finds again: memos, entries, journals. What lies in their place now may be another's work or an accident: a FIFO,
 * of which `open` waits for the other end; a device, which never ends; a link, which leads out of the folder. None of it may hold up a run, so all of
 * them are opened here (and blobs in @cuenv/cas, with the same flags).
 */

const noFollow = constants.O_NOFOLLOW ?? 0;
const nonBlock = constants.O_NONBLOCK ?? 0;

export const ownFileReadFlags: number = constants.O_RDONLY | noFollow | nonBlock;
const appendFlags =
  constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | noFollow | nonBlock;

/** No file is there: the name, or a folder above it, does not exist, or is a link or a socket where a file should be. */
export function isAbsence(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && absences.has(code);
}

/** ENXIO: a socket, and a FIFO that nobody reads, opened for writing. */
const absences = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "ENXIO"]);

/** Something is there, or may be, and is not ours to open. */
export function isRefused(error: unknown): boolean {
  const code = codeOf(error);
  return code === "EACCES" || code === "EPERM";
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** A regular file of at most `maxBytes`, undefined when there is none. @throws system errors, and EFBIG */
export function readRegularFile(path: string, maxBytes: number): Buffer | undefined {
  return readOpened(path, ({ file, size }) => {
    if (size <= maxBytes) return readPiece(file, 0, size);
    throw Object.assign(new Error(`${path} has ${size} bytes`), { code: "EFBIG" });
  });
}

function readOpened(
  path: string,
  read: (opened: { readonly file: number; readonly size: number }) => Buffer,
): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, ownFileReadFlags);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(file);
    return stat.isFile() ? read({ file, size: stat.size }) : undefined;
  } finally {
    closeSync(file);
  }
}

/** Of a file that only speeds things up: undefined, too, when it cannot be read or is larger than any of ours. Never throws. */
export function readMemoFile(path: string, maxBytes: number): Buffer | undefined {
  try {
    return readRegularFile(path, maxBytes);
  } catch {
    return undefined;
  }
}

/** As {@link readMemoFile}, but the first bytes only, of a file of any size. */
export function readMemoStart(path: string, length: number): Buffer | undefined {
  try {
    return readOpened(path, ({ file }) => readPiece(file, 0, length));
  } catch {
    return undefined;
  }
}

/** Bytes from `start` to `end`, in `into` if they fit; fewer at the end of the file. */
export function readPiece(file: number, start: number, end: number, into?: Buffer): Buffer {
  const length = end - start;
  const bytes =
    into !== undefined && into.length >= length
      ? into.subarray(0, length)
      : Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < bytes.length) {
    const count = readSync(file, bytes, filled, bytes.length - filled, start + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/**
 * Appends to a file, made (mode 0600) when it is not there, unless it has `maxBytes` already: one write, so that concurrent appends do not mix. Returns the
 * size before. What is no file goes first: a FIFO or a link in its place has nothing that could be lost. @throws system errors
 */
export function appendToFile(path: string, text: string, maxBytes: number = Infinity): number {
  const { file, size } = openForAppending(path);
  try {
    if (size < maxBytes) writeSync(file, text);
    return size;
  } finally {
    closeSync(file);
  }
}

/** A file to append to, see {@link appendToFile}; whoever takes it closes it. @throws system errors */
export function openForAppending(path: string): { readonly file: number; readonly size: number } {
  const opened = openIfFile(path) ?? (unlinkSync(path), openIfFile(path));
  if (opened !== undefined) return opened;
  throw Object.assign(new Error(`${path} is no file`), { code: "EINVAL" });
}

/** Undefined: something else is there. */
function openIfFile(path: string): { readonly file: number; readonly size: number } | undefined {
  let file: number;
  try {
    file = openSync(path, appendFlags, 0o600);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ELOOP" || code === "ENXIO") return undefined;
    throw error;
  }
  const stat = fstatSync(file);
  if (stat.isFile()) return { file, size: stat.size };
  closeSync(file);
  return undefined;
}
