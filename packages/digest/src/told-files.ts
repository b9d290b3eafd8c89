import type { Digest } from "./digest.ts";
import type { FileStat } from "./file-index.ts";
import { bearsMark, type WriteMark } from "./write-mark.ts";

/** Somebody's word for a file. */
export interface ToldFile {
  readonly digest: Digest;
  /** Of the index: in it, nobody but who said it has written to the file. */
  readonly turn: number;
  /** Undefined: it has none. */
  readonly mark: WriteMark | undefined;
}

/** `readAtMs`: as if it had been read so late that its stat vouches for it; undefined: it does not. */
export interface ToldDigest {
  readonly digest: Digest;
  readonly readAtMs?: number;
}

/** What a file was said to be, which is forgotten then. Without a mark, that holds in the turn. */
export function takeTold(
  told: Map<string, ToldFile>,
  path: string,
  { stat, turn }: { readonly stat: FileStat; readonly turn: number },
): ToldDigest | undefined {
  const found = told.size === 0 ? undefined : told.get(path);
  if (found === undefined) return undefined;
  told.delete(path);
  const { digest, mark } = found;
  if (stat.kind !== "file" || stat.sizeBytes !== digest.sizeBytes) return undefined;
  if (mark === undefined) return found.turn === turn ? { digest } : undefined;
  return bearsMark(stat, mark) ? { digest, readAtMs: Number.POSITIVE_INFINITY } : undefined;
}
