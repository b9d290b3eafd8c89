import { type Stats, statfsSync } from "node:fs";

const overlayType = 0x79_4c_76_30;
/** By device. */
const overlays = new Map<number, boolean>();

/**
 * Whether a folder is put together of several layers of an overlay file system. Its stat is that of the uppermost: names that come and go in a lower one, while it is not
 * mounted, do not show in it. Such folders have one link, as all have on some other file systems; those are asked for their type, once for each device.
 */
export function isMergedFolder(stat: Stats, root: string, path: string): boolean {
  if (stat.nlink !== 1 || !stat.isDirectory()) return false;
  let isOverlay = overlays.get(stat.dev);
  if (isOverlay === undefined) {
    isOverlay = typeOf(`${root}/${path}`) === overlayType;
    overlays.set(stat.dev, isOverlay);
  }
  return isOverlay;
}

function typeOf(path: string): number | undefined {
  try {
    return statfsSync(path).type;
  } catch {
    return undefined;
  }
}
