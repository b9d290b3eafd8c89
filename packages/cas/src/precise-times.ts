import { closeSync, mkdirSync, openSync, rmSync, statSync, type Stats, writeSync } from "node:fs";
import { createFlags } from "./atomic-write.ts";

/** So many changes are made, one right after the other. */
const changes = 6;
/** So many of them have to be told apart by less than a tick of any kernel's clock: by chance a tick lies between two, but not each time. */
const quickChanges = 3;
/** Half of the shortest tick (ms). */
const quickMs = 0.5;

/**
 * Whether a file system gives each change of a file or a folder a time of its own, if it was looked at since the change before: Linux 6.13 and newer on ext4, XFS, btrfs and tmpfs, macOS on APFS. It is tried in a folder, which
 * has to be there and is as it was afterwards; a tenth of a millisecond. False where it cannot be tried.
 * @param stat for tests
 */
export function hasPreciseTimes(
  directory: string,
  stat: (path: string) => Pick<Stats, "mtimeMs" | "ctimeMs"> = statSync,
): boolean {
  const folder = `${directory}/times`;
  const file = `${folder}/file`;
  let descriptor: number | undefined;
  try {
    mkdirSync(folder);
    descriptor = openSync(file, createFlags, 0o600);
    let before = [stat(file), stat(folder)];
    let quick = 0;
    for (let change = 0; change < changes; change += 1) {
      writeSync(descriptor, "x", 0);
      closeSync(openSync(`${file}-${change}`, createFlags, 0o600));
      const after = [stat(file), stat(folder)];
      const passed = after.flatMap(({ mtimeMs, ctimeMs }, at) => [
        mtimeMs - (before[at]?.mtimeMs ?? Number.NaN),
        ctimeMs - (before[at]?.ctimeMs ?? Number.NaN),
      ]);
      if (!passed.every((ms) => ms > 0)) return false;
      if (passed.every((ms) => ms < quickMs)) quick += 1;
      before = after;
    }
    return quick >= quickChanges;
  } catch {
    return false;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
    rmSync(folder, { recursive: true, force: true });
  }
}
