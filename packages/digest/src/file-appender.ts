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
  const opened = (): { readonly file: number; readonly size: number } => {
    if (file !== undefined) {
      const { nlink, size } = fstatSync(file);
      if (nlink > 0) return { file, size };
      close();
    }
    const made = openForAppending(path);
    file = made.file;
    return made;
  };
  return {
    append(text) {
      const { file: to, size } = opened();
      if (size < maxBytes) writeSync(to, text);
    },
    close,
  };
}
