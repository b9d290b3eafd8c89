import {
  checksum,
  type DigestFunction,
  equalDigests,
  readSealedRows,
  type Seal,
  sealRows,
  unusedRows,
} from "@cuenv/digest";
import type { PublicKey } from "@cuenv/signer";
import type { ActionKey } from "./action-store.ts";
import type { TaskResult } from "./task-result.ts";

/** What an entry was found to hold, when it had that version. */
export interface RememberedEntry {
  /** Of the store: see `ActionStore.getChanged`. */
  readonly version: string;
  /** Whose signature of it is good; undefined: none was asked for. */
  readonly signer: PublicKey | undefined;
  /** Parses it: what `decodeEntry` gave. Undefined when it is not that of `key`. */
  readonly result: () => TaskResult | undefined;
}

/** The key of an entry, whole: as `decodeEntry` takes it. */
export type EntryKey = ActionKey & { readonly digestFunction: DigestFunction };

/**
 * What the entries hold that earlier runs used, so that a warm run neither reads, nor hashes, nor parses them: 200 of them take 11 ms instead of 23. A row
 * is a fact ("the entry of this key, in this version, is sound, signed by this key, and says this"). Whether the entry still has that version, and
 * whether the key is trusted, is asked anew each time: who evicts, replaces or revokes an entry need not know of the memo.
 */
export interface EntryMemo {
  recall(key: EntryKey): RememberedEntry | undefined;
  remember(key: EntryKey, version: string, signer: PublicKey | undefined, result: TaskResult): void;
  /** Undefined: there is nothing new to keep, or nothing to seal it with. */
  serialize(): string | undefined;
}

export interface EntryMemoOptions {
  /** What an earlier run kept; undefined: nothing. Asked for once, by the first look. */
  readonly read: () => string | undefined;
  readonly seal?: () => Seal | undefined;
  /** Of cuenv, by a name without a space: another one may find fault with what this one takes for sound. */
  readonly build: string;
}

const memoVersion = 1;
/** Rows are kept up to so many characters; those that this run used stay in any case (1 MiB, 600 results of five files). */
const maxUnusedLength = 1024 * 1024;

/**
 * The text: a seal over the rest, a line with the version of this format and the build of cuenv, then a line for each entry: its namespace, digest function and hash,
 * its version, the id of its signer and the signer's public key in base64 (or two dashes), and the result as JSON; between them tabs.
 */
export function createEntryMemo(options: EntryMemoOptions): EntryMemo {
  const { seal = () => checksum } = options;
  const head = `cuenv-entries ${memoVersion} ${options.build}`;
  let stored: ReadonlyMap<string, string> | undefined;
  const used = new Map<string, string>();
  let learnt = false;
  const load = (): ReadonlyMap<string, string> =>
    (stored ??= readSealedRows(options.read(), seal(), head));
  return {
    recall: (key) => {
      const name = nameOf(key);
      const row = used.get(name) ?? load().get(name);
      if (row === undefined) return undefined;
      const remembered = parseRow(row, key);
      if (remembered !== undefined) used.set(name, row);
      return remembered;
    },
    remember: (key, version, signer, result) => {
      const name = nameOf(key);
      used.set(name, formatRow(name, version, signer, result));
      learnt = true;
    },
    serialize: () => {
      if (!learnt) return undefined;
      const unused = unusedRows(load(), (name) => used.has(name), maxUnusedLength);
      return sealRows(head, [...used.values(), ...unused], seal());
    },
  };
}

function nameOf({ namespace, digestFunction, digest }: EntryKey): string {
  return `${namespace}/${digestFunction}/${digest.hash}`;
}

function formatRow(
  name: string,
  version: string,
  signer: PublicKey | undefined,
  result: TaskResult,
): string {
  const id = signer?.id ?? "-";
  const key = signer === undefined ? "-" : Buffer.from(signer.publicKey).toString("base64");
  return [name, version, id, key, JSON.stringify(result)].join("\t");
}

function parseRow(row: string, key: EntryKey): RememberedEntry | undefined {
  const [, version, id, publicKey, json] = row.split("\t");
  if (version === undefined || id === undefined || publicKey === undefined || json === undefined)
    return undefined;
  return {
    version,
    signer: id === "-" ? undefined : { id, publicKey: Buffer.from(publicKey, "base64") },
    result: () => {
      try {
        const result = JSON.parse(json) as TaskResult;
        return equalDigests(result.key, key.digest) ? result : undefined;
      } catch {
        // Not what we wrote, under a checksum that anybody can make (with trust off): the entry is read.
        return undefined;
      }
    },
  };
}
