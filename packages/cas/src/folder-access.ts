import { makeFolders } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { createFlags, writeFully } from "./atomic-write.ts";
import type { CacheFolderOptions } from "./cache-folder.ts";
import { cachedirTag, type DiskLayout, formatFolder, readme } from "./disk-layout.ts";
import { inspectFolder } from "./folder-trust.ts";
import { errorCode, storeUnavailable } from "./system-error.ts";

/** Whether the folder may be used: looked at once, at the first read or write. */
export interface FolderAccess {
  /** @throws {CuenvError} CAS_STORE_UNAVAILABLE when the folder is not to be trusted. */
  readonly assertReadable: () => void;
  /** Makes the folder. @throws {CuenvError} CAS_STORE_UNAVAILABLE */
  readonly assertWritable: () => void;
  /** Whether it was looked at and found good. */
  readonly isTrusted: () => boolean;
}

export function createFolderAccess(options: CacheFolderOptions, layout: DiskLayout): FolderAccess {
  const { root } = options;
  let refusal: CuenvError | undefined;
  let looked = false;
  let made = false;
  const assertReadable = (): void => {
    if (!looked) refusal = inspect(options);
    looked = true;
    if (refusal !== undefined) throw refusal;
  };
  const assertWritable = (): void => {
    if (made) return;
    assertReadable();
    if (options.readOnly === true) {
      throw new CuenvError(
        "CAS_STORE_UNAVAILABLE",
        `cannot write to cache folder ${root}: this run only reads it`,
      );
    }
    try {
      makeFolder(root, layout);
    } catch (error) {
      throw storeUnavailable(`write to cache folder ${root}`, error, "CAS_STORE_UNAVAILABLE");
    }
    // Somebody else may have been quicker with the name.
    refusal = inspect(options);
    if (refusal !== undefined) throw refusal;
    made = true;
  };
  return { assertReadable, assertWritable, isTrusted: () => looked && refusal === undefined };
}

function inspect(options: CacheFolderOptions): CuenvError | undefined {
  const trust = inspectFolder(options.root);
  if (trust.kind === "trusted" && trust.mended !== undefined) {
    options.onWarning?.(`cache folder ${trust.mended}`);
  }
  if (trust.kind !== "refused") return undefined;
  return new CuenvError(
    "CAS_STORE_UNAVAILABLE",
    `cannot use cache folder ${options.root}: ${trust.reason}`,
    { hint: "Choose a folder with CUENV_CACHE_DIR that only you can write to (chmod 700)." },
  );
}

/**
 * Never recursive into the root itself: it must come from us with mode 0700, or exist and pass the inspection. Others of
 * ours keep things in it, too, so it may be there without its signs. A folder in which there are other things gets none: backups pass over all that is
 * beside a CACHEDIR.TAG, and a project may name any folder of its user's.
 */
function makeFolder(root: string, layout: DiskLayout): void {
  makeFolders(dirname(root));
  makeOne(root);
  makeOne(layout.base);
  if (existsSync(`${root}/${tagName}`) || hasOthers(root)) return;
  for (const [name, text] of [
    ["README", readme],
    [tagName, cachedirTag],
  ] as const) {
    writeOnce(`${root}/${name}`, text);
  }
}

const tagName = "CACHEDIR.TAG";
const ownNames = new Set<string>([formatFolder, tagName, "README"]);

function hasOthers(root: string): boolean {
  return readdirSync(root).some((name) => !ownNames.has(name));
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

function writeOnce(path: string, text: string): void {
  try {
    const file = openSync(path, createFlags, 0o600);
    try {
      writeFully(file, Buffer.from(text), 0);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}
