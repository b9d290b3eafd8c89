import { createFileIndex, type DigestFunction, type FileIndex } from "@cuenv/digest";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BlobStore } from "../src/blob-store.ts";
import { type CacheFolder, type CacheFolderOptions, openCacheFolder } from "../src/cache-folder.ts";
import { type CapturedOutputs, captureOutputs } from "../src/capture-outputs.ts";
import { createDiskBlobStore } from "../src/disk-blob-store.ts";
import type { OutputEntry } from "../src/output-entry.ts";
import { restoreOutputs } from "../src/restore-outputs.ts";
import type { RestoreResult } from "../src/restore-result.ts";

/** A new folder below the system's temporary one; the caller removes it. */
export function makeFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "cuenv-cas-")));
}

export interface Workspace {
  readonly root: string;
  readonly folder: CacheFolder;
  readonly store: BlobStore;
  readonly index: FileIndex;
  write(path: string, content: string | Uint8Array, mode?: number): void;
  capture(project: string, outputs: readonly string[]): Promise<CapturedOutputs>;
  restore(
    project: string,
    outputs: readonly string[],
    entries: readonly OutputEntry[],
  ): Promise<RestoreResult>;
  cleanUp(): void;
}

/** A workspace and a cache folder, real ones. What tests write by hand is seen: each call begins with an index that knows nothing. */
export function makeWorkspace(
  options: Partial<CacheFolderOptions> & { readonly digestFunction?: DigestFunction } = {},
): Workspace {
  const base = makeFolder();
  const root = `${base}/workspace`;
  mkdirSync(root);
  const { digestFunction = "sha256", ...rest } = options;
  const folder = openCacheFolder({ root: `${base}/cache`, ...rest });
  const store = createDiskBlobStore({ folder, digestFunction });
  const index = createFileIndex({ root, digestFunction, stateFile: undefined });
  return {
    root,
    folder,
    store,
    index,
    write: (path, content, mode) => {
      mkdirSync(dirname(`${root}/${path}`), { recursive: true });
      writeFileSync(`${root}/${path}`, content);
      if (mode !== undefined) chmodSync(`${root}/${path}`, mode);
    },
    capture: (projectDirectory, outputs) => {
      index.invalidate("");
      return captureOutputs({ index, projectDirectory, outputs, store });
    },
    restore: (projectDirectory, outputs, entries) => {
      index.invalidate("");
      const { temporaryDirectory } = folder;
      return restoreOutputs({
        index,
        projectDirectory,
        outputs,
        entries,
        store,
        temporaryDirectory,
      });
    },
    cleanUp: () => rmSync(base, { recursive: true, force: true }),
  };
}
