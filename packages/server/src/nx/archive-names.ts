/** Names are remembered up to so many characters (UTF-16 units) in all. */
const maxNameUnits = 64 * 1024 * 1024;

/** Whether the entries of an archive can be unpacked one after the other. */
export interface ArchiveNames {
  /** Why this one cannot, after those before; undefined: it can. */
  problem(path: string, isFolder: boolean): string | undefined;
}

/**
 * What would be unpacked where a file or a link is ends the build of whoever unpacks it; below a link it might come to lie anywhere. The paths are without
 * `.` and empty parts.
 */
export function createArchiveNames(): ArchiveNames {
  const folders = new Set<string>();
  const others = new Set<string>();
  let units = 0;
  const add = (names: Set<string>, path: string): void => {
    if (names.has(path)) return;
    names.add(path);
    units += path.length;
  };
  return {
    problem(path, isFolder) {
      if (isFolder ? others.has(path) : folders.has(path)) return "it is a folder and none";
      for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
        const parent = path.slice(0, end);
        if (others.has(parent)) return "it lies below a file or a link";
        if (folders.has(parent)) break;
        add(folders, parent);
      }
      add(isFolder ? folders : others, path);
      return units > maxNameUnits ? "its names are too many" : undefined;
    },
  };
}
