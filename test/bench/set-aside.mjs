import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import { workFolder } from "./work-folder.mjs";

const aside = join(workFolder, "aside");
let count = 0;

/**
 * Takes a file or folder out of the way without deleting it. ext4 without a journal does not give an inode away again that was deleted within the last minutes
 * ("recently deleted"), and looks at all of them for each new file: after a thousand deletions, creating a file takes 1 ms instead of
 * 0.04 ms, for whoever comes next. What is measured then is the deletion before.
 */
export function setAside(path) {
  if (!existsSync(path)) return;
  mkdirSync(aside, { recursive: true });
  count += 1;
  const place = join(aside, `${process.pid}-${count}`);
  renameSync(path, place);
  giveMemoryBack(place);
}

/**
 * The pages of what is set aside, as deleting it would: else each round needs memory that nobody used before, and a virtual machine's host takes 13 µs to find
 * a page of it (a restore of 58 MB then costs 190 ms more, for every tool). A file with a second name may be in a tool's cache.
 */
function giveMemoryBack(path) {
  const stat = lstatSync(path);
  if (stat.isDirectory()) for (const name of readdirSync(path)) giveMemoryBack(join(path, name));
  else if (stat.isFile() && stat.nlink === 1) truncateSync(path, 0);
}

/** When nothing is measured any more. */
export function removeSetAside() {
  rmSync(aside, { recursive: true, force: true });
}
