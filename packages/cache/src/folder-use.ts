import { lstatSync, readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";

/** What the files of a cache folder are for. */
export const folderKinds = [
  /** Entries: which task gave what. */
  "results",
  /** Outputs, by content. */
  "blobs",
  /** What is remembered of workspaces: file digests, evaluated configuration. */
  "remembered",
  "statistics",
  /** Of cuenv itself, V8's. */
  "compiledCode",
  "quarantine",
  "temporary",
  /** The journal, the index, locks, leases, pipes, the salt, README. */
  "other",
] as const;

export type FolderKind = (typeof folderKinds)[number];

export interface KindUse {
  readonly files: number;
  readonly bytes: number;
}

export type FolderUse = Readonly<Record<FolderKind, KindUse>>;

const kindOfFolder: Readonly<Record<string, FolderKind>> = {
  ac: "results",
  cas: "blobs",
  workspaces: "remembered",
  stats: "statistics",
  "compile-cache": "compiledCode",
  quarantine: "quarantine",
  tmp: "temporary",
};

/** As far as a folder is looked into; the cache's own are less deep. */
const maxDepth = 12;

/**
 * What a cache folder takes, by kind: files, links and their sizes, as `du --apparent-size` counts them without the folders' own. No link is followed.
 * Others may write and remove meanwhile: what vanishes is passed over.
 * @throws the signal's reason
 */
export async function measureFolder(
  cacheDirectory: string,
  options: {
    readonly onProgress?: ((files: number, bytes: number) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<FolderUse> {
  const use = new Map<FolderKind, { files: number; bytes: number }>(
    folderKinds.map((kind) => [kind, { files: 0, bytes: 0 }]),
  );
  let files = 0;
  let bytes = 0;
  const walk = async (folder: string, kind: FolderKind, depth: number): Promise<void> => {
    options.signal?.throwIfAborted();
    // Others get a turn after each folder.
    await setImmediate();
    const sum = use.get(kind) ?? { files: 0, bytes: 0 };
    for (const entry of entriesOf(folder)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (depth < maxDepth) await walk(path, kind, depth + 1);
        continue;
      }
      const size = sizeOf(path);
      if (size === undefined) continue;
      sum.files += 1;
      sum.bytes += size;
      files += 1;
      bytes += size;
    }
    options.onProgress?.(files, bytes);
  };
  for (const name of foldersOf(`${cacheDirectory}/v1`))
    await walk(`${cacheDirectory}/v1/${name}`, kindOfFolder[name] ?? "other", 1);
  countLooseFiles(use.get("other"), [cacheDirectory, `${cacheDirectory}/v1`]);
  return Object.fromEntries(use) as FolderUse;
}

function countLooseFiles(
  sum: { files: number; bytes: number } | undefined,
  folders: readonly string[],
): void {
  if (sum === undefined) return;
  for (const folder of folders) {
    for (const entry of entriesOf(folder)) {
      const size = entry.isDirectory() ? undefined : sizeOf(`${folder}/${entry.name}`);
      if (size === undefined) continue;
      sum.files += 1;
      sum.bytes += size;
    }
  }
}

function foldersOf(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

function entriesOf(
  folder: string,
): readonly { readonly name: string; readonly isDirectory: () => boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function sizeOf(path: string): number | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.size;
  } catch {
    return undefined;
  }
}
