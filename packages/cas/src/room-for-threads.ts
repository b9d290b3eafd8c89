import { readFileSync } from "node:fs";
import { errorCode } from "./system-error.ts";

/** A thread takes five descriptors, which where there are few are the last ones. */
const minOpenFiles = 256;

/**
 * Whether the limits of this process leave room for threads. V8 reserves up to 0.9 GB of addresses for the heap of each, and ends the whole process where it does
 * not get them, which nobody can catch; so there are none where addresses are limited at all (`ulimit -v`, `-d`). Systems without `/proc` have no such limits.
 */
export function hasRoomForThreads(): boolean {
  let limits: string;
  try {
    limits = readFileSync("/proc/self/limits", "latin1");
  } catch (error) {
    return errorCode(error) === "ENOENT";
  }
  // "Max open files            1024                 524288               files": the first one holds.
  const of = (name: string): number => {
    return Number(new RegExp(`^Max ${name} +(\\d+)`, "m").exec(limits)?.[1] ?? Infinity);
  };
  return (
    of("address space") === Infinity &&
    of("data size") === Infinity &&
    of("open files") >= minOpenFiles
  );
}
