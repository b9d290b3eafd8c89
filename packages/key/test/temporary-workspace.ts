import { createFileIndex, type FileIndex } from "@cuenv/digest";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

/** Content of a file; `{ link }` is a symbolic link. */
export type Files = Readonly<Record<string, string | { readonly link: string }>>;

const made: string[] = [];

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** A real folder with these files; removed when the test file is done. */
export function temporaryWorkspace(files: Files): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "cuenv-key-")));
  made.push(root);
  writeFiles(root, files);
  return root;
}

export function writeFiles(root: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    const place = join(root, path);
    mkdirSync(dirname(place), { recursive: true });
    if (typeof content === "string") writeFileSync(place, content);
    else symlinkSync(content.link, place);
  }
}

/** A folder, by the index of {@link unlistableIndex}; its name is too long for the system to open it, as root, too. */
export const unlistable: string = "l".repeat(300);

/** As {@link freshIndex}, but it sees an {@link unlistable} folder. */
export function unlistableIndex(root: string): FileIndex {
  return createFileIndex({
    root,
    digestFunction: "sha256",
    stateFile: undefined,
    lstat: (path) => lstatSync(path.endsWith(unlistable) ? root : path, { throwIfNoEntry: false }),
  });
}

/** An index that has seen nothing yet, as a new process has. */
export function freshIndex(root: string): FileIndex {
  return createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
}
