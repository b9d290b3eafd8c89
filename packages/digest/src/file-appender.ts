import { closeSync, fstatSync, writeSync } from "node:fs";
import { openForAppending } from "./own-file.ts";

/** One file that a process appends to again and again. */
export interface FileAppender {
  /** As `appendToFile`: the file is made anew when it was removed meanwhile. @throws system errors */
  append(text: string): void;
  /** Never throws. What is appended afterwards opens it once more. */
  close(): void;
}

/** Opened with the first append, and open from then on: opening and closing a file takes longer than appending a line. */
export function createFileAppender(path: string, maxBytes: number): FileAppender {
  let file: number | undefined;
  const close = (): void => {
    if (file === undefined) return;
    try {
      closeSync(file);
    } catch {
      // It is the system's then.
    }
    file = undefined;
  };
  /** The size of the file that has the name now. */
  const openedSize = (): number => {
    if (file !== undefined) {
      const { nlink, size } = fstatSync(file);
      if (nlink > 0) return size;
      close();
    }
    const opened = openForAppending(path);
    file = opened.file;
    return opened.size;
  };
  return {
    append(text) {
      const size = openedSize();
      if (file !== undefined && size < maxBytes) writeSync(file, text);
    },
    close,
  };
}
