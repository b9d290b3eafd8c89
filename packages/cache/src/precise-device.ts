import { hasPreciseTimes } from "@cuenv/cas";
import { statSync } from "node:fs";

/**
 * Tells of a device whether each change of a file there has a time of its own. Known of the one that a folder of ours is on, of which it is tried when it is first asked; of all others it is not.
 * @param folder in which it may be tried; undefined: nowhere
 */
export function preciseDevice(folder: () => string | undefined): (device: number) => boolean {
  let precise: number | undefined;
  let isTried = false;
  return (device) => {
    if (!isTried) {
      isTried = true;
      precise = deviceOf(folder());
    }
    return device === precise;
  };
}

function deviceOf(folder: string | undefined): number | undefined {
  if (folder === undefined || !hasPreciseTimes(folder)) return undefined;
  try {
    return statSync(folder).dev;
  } catch {
    return undefined;
  }
}
