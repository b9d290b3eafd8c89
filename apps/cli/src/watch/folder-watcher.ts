import { type FSWatcher, statSync, watch } from "node:fs";
import { basename } from "node:path";
import { createQuietBell } from "./quiet-bell.ts";

/** Says that something happened in one of the folders that it follows; what, it does not say. */
export interface FolderWatcher {
  /** Follows these folders, absolute paths, and no others. True: some are new, so that what happened in them before now was not seen. */
  readonly follow: (folders: ReadonlySet<string>) => boolean;
  /** Resolves when something has happened since the last call, and then nothing for a while. @throws the signal's reason */
  readonly next: (signal: AbortSignal) => Promise<void>;
  readonly close: () => void;
}

/** How often is looked where the system follows no more folders. */
const pollMs = 1_500;

interface Followed {
  readonly watcher: FSWatcher;
  readonly inode: number;
}

/**
 * One watcher for each folder, not for each tree: ignored folders, node_modules above all, are many times what tasks read. `onPolling` is told
 * once when folders cannot be followed, and will be looked at now and then instead.
 */
export function createFolderWatcher(
  onPolling: (reason: string) => void,
  watchFolder: (
    folder: string,
    listener: (event: string, name: string | null) => void,
  ) => FSWatcher = watch,
): FolderWatcher {
  const followed = new Map<string, Followed>();
  const bell = createQuietBell();
  let pollTimer: NodeJS.Timeout | undefined;

  function followOne(folder: string, inode: number): void {
    try {
      const watcher = watchFolder(folder, (event, name) => {
        // By its own name the folder itself is meant, which went: one that is made in its place may get its inode.
        if (event === "rename" && name === basename(folder) && followed.get(folder) === entry)
          drop(folder);
        bell.ring();
      });
      const entry = { watcher, inode };
      watcher.on("error", bell.ring);
      followed.set(folder, entry);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      // Gone in this moment: the folder above tells.
      if (code === "ENOENT" || code === "ENOTDIR" || pollTimer !== undefined) return;
      pollTimer = setInterval(bell.ring, pollMs);
      onPolling(code);
    }
  }

  function drop(folder: string): void {
    followed.get(folder)?.watcher.close();
    followed.delete(folder);
  }

  return {
    follow: (folders) => {
      let isNew = false;
      for (const folder of followed.keys()) if (!folders.has(folder)) drop(folder);
      for (const folder of folders) {
        const inode = inodeOf(folder);
        // A folder that was removed and made again is another one.
        if (inode !== undefined && followed.get(folder)?.inode === inode) continue;
        drop(folder);
        if (inode === undefined) continue;
        followOne(folder, inode);
        isNew = true;
      }
      return isNew;
    },
    next: bell.next,
    close: () => {
      for (const folder of followed.keys()) drop(folder);
      clearInterval(pollTimer);
    },
  };
}

function inodeOf(folder: string): number | undefined {
  try {
    const stat = statSync(folder, { throwIfNoEntry: false });
    return stat?.isDirectory() === true ? stat.ino : undefined;
  } catch {
    return undefined;
  }
}
