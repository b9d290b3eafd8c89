import { fstatSync } from "node:fs";

/**
 * Whether stdout (1) or stderr (2) is a terminal. Node says so of `process.stdout` and `process.stderr`, which are made when they are first asked for: of a pipe a socket, for which it loads `net` and
 * more, 3 ms of a run that takes 45. Nothing but a character device is a terminal, and what is one is asked.
 */
export function isTerminal(descriptor: 1 | 2): boolean {
  if (process.platform !== "win32" && !isCharacterDevice(descriptor)) return false;
  const stream: { readonly isTTY?: boolean } = descriptor === 1 ? process.stdout : process.stderr;
  return stream.isTTY === true;
}

function isCharacterDevice(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice();
  } catch {
    return false; // Closed.
  }
}
