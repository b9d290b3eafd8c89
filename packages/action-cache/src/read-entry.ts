import type { Acceptance, PublicKey, Refusal } from "@cuenv/signer";
import type { ActionStore } from "./action-store.ts";
import { decodeEntry, type UnusableEntry, type VerifyEnvelope } from "./decode-entry.ts";
import type { EntryKey, EntryMemo, RememberedEntry } from "./entry-memo.ts";
import { endOf, type TaskResult } from "./task-result.ts";

/** What is said of an envelope whose one signature, of this key, is known to be good: `Verifier.trusts`. */
export type TrustsSigner = (
  key: PublicKey,
  context: { readonly namespace: string },
) => Acceptance | Refusal;

export interface ReadEntryOptions {
  readonly actions: ActionStore;
  readonly verify?: VerifyEnvelope | undefined;
  /** With `verify`, where there is a memo. */
  readonly trusts?: TrustsSigner | undefined;
  readonly memo?: EntryMemo | undefined;
}

export type ReadEntry =
  | { readonly kind: "entry"; readonly result: TaskResult }
  | UnusableEntry
  | Refusal;

/**
 * The entry of a key, decoded and verified; undefined when there is none. Where a memo knows what it holds, and the store that it has not changed, it is
 * not read.
 * @throws what the store throws, and the signal's reason
 */
export async function readEntry(
  options: ReadEntryOptions,
  key: EntryKey,
  signal?: AbortSignal,
): Promise<ReadEntry | undefined> {
  const { actions, verify, memo } = options;
  if (memo === undefined || actions.getChanged === undefined) {
    const bytes = await actions.get(key, signal);
    return bytes && decodeEntry(bytes, key, verify);
  }
  const remembered = memo.recall(key);
  const known = remembered && trustedResult(options, key, remembered);
  const found = await actions.getChanged(key, known && remembered?.version, signal);
  if (found === undefined) return undefined;
  if (found.bytes === undefined) return known && { kind: "entry", result: known };
  const entry = decodeEntry(found.bytes, key, verify);
  if (entry.kind === "entry" && found.version !== undefined)
    memo.remember(key, found.version, entry.signer, entry.result);
  return entry;
}

/** Undefined: the entry is to be read, and judged by all that it carries. */
function trustedResult(
  { verify, trusts }: ReadEntryOptions,
  { namespace }: EntryKey,
  { signer, result: parse }: RememberedEntry,
): TaskResult | undefined {
  if (verify === undefined) return parse();
  const verdict = signer && trusts?.(signer, { namespace });
  if (verdict?.kind !== "accepted") return undefined;
  const result = parse();
  if (result === undefined) return undefined;
  return verdict.refuseTime(endOf(result)) === undefined ? result : undefined;
}
