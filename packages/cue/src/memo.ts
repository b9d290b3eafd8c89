import { createHmac } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { readMemoFile } from "@cuenv/digest/own-file";
import { type DecodedAnswer, decodeAnswer } from "./decode-answer.ts";
import type { EvaluationInput } from "./evaluation.ts";
import { hashOf, isSettled, revalidate } from "./evaluation-input.ts";
import { evaluatorIdentity } from "./gen/evaluator-identity.ts";

export { decodeAnswer, revalidate };

// On the way of every warm run: synchronous, and nothing but node:fs, node:path, node:crypto and what opens our files.

/** Raise it when the format of a memo changes: older ones are then never opened. */
const formatVersion = "v1";

/** More than any evaluation may give, as JSON in JSON, with its inputs (256 MiB). */
const maxMemoBytes = 256 * 1024 * 1024;

export interface MemoKey {
  readonly directory: string;
  readonly packageName?: string | undefined;
  readonly validate?: boolean;
  readonly memoDirectory: string;
  /** A secret of who remembers: what was remembered without it is not recalled. The folder may be one that others filled. */
  readonly seal?: Uint8Array | undefined;
}

export interface RememberedEvaluation extends DecodedAnswer {
  readonly inputs: readonly EvaluationInput[];
}

export interface RememberedAnswer {
  /** The evaluator's answer: JSON in JSON, so that a memo whose inputs differ is dismissed without parsing it. */
  readonly answer: string;
  readonly inputs: readonly EvaluationInput[];
}

export interface RecalledAnswer extends RememberedAnswer {
  /** What was read because it was too young is old enough now: writes that, so that the next run trusts its stat. Undefined: nothing to write. */
  readonly renew: (() => void) | undefined;
}

/** As {@link recallAnswer}, decoded, and renewed. */
export function recallEvaluation(key: MemoKey): RememberedEvaluation | undefined {
  const memo = recallAnswer(key);
  memo?.renew?.();
  return memo && { ...decodeAnswer(memo.answer), inputs: memo.inputs };
}

/**
 * The evaluator's answer for a package as it was remembered, if everything that it depended on is as it was; else
 * undefined. Looks at each input once; reads only what its stat does not vouch for. Writes nothing, and never throws. Equal answers are
 * equal texts, so who made something of an answer may remember that by the text's hash, and need not decode it.
 */
export function recallAnswer(key: MemoKey): RecalledAnswer | undefined {
  const memo = readMemo(memoFile(key), key.seal);
  if (memo === undefined) return undefined;
  let isRefreshed = false;
  const inputs: EvaluationInput[] = [];
  for (const input of memo.inputs) {
    const now = revalidate(input);
    if (now === undefined) return undefined;
    if (now !== input && "stamp" in now && now.stamp !== undefined && isSettled(now.stamp))
      isRefreshed = true;
    inputs.push(now);
  }
  const { answer } = memo;
  const renew = isRefreshed ? () => rememberEvaluation(key, { answer, inputs }) : undefined;
  return { ...memo, renew };
}

/** Stores an evaluation for `recallEvaluation`. Where the folder cannot be written, nothing is remembered. */
export function rememberEvaluation(key: MemoKey, { answer, inputs }: RememberedAnswer): void {
  const file = memoFile(key);
  const temporary = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
  const body = JSON.stringify({ answer, inputs });
  try {
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(temporary, `${tagOf(body, file, key.seal)}\n${body}`, { flag: "wx" });
    renameSync(temporary, file);
  } catch {
    // Nothing is remembered, then.
    try {
      rmSync(temporary, { force: true });
    } catch {
      // There was no folder to leave it in.
    }
  }
}

/** SHA-256 of the body, or an HMAC with the seal, of the name too: the memo of one folder must not stand in for another's. */
function tagOf(body: string, file: string, seal: Uint8Array | undefined): string {
  if (seal === undefined) return hashOf(body);
  return createHmac("sha256", seal)
    .update(`${basename(file)}\n`)
    .update(body)
    .digest("hex");
}

/** First line: the tag of the rest. A memo that is damaged, half-written or somebody else's is none. */
function readMemo(file: string, seal: Uint8Array | undefined): RememberedAnswer | undefined {
  try {
    const text = readMemoFile(file, maxMemoBytes)?.toString("utf8") ?? "";
    const body = text.slice(65);
    if (text[64] !== "\n" || text.slice(0, 64) !== tagOf(body, file, seal)) return undefined;
    return JSON.parse(body) as RememberedAnswer;
  } catch {
    return undefined;
  }
}

/** The evaluator and the schema are part of the name: a newer cuenv evaluates anew, and both can share a folder. */
function memoFile({
  directory,
  packageName = "",
  validate = true,
  memoDirectory,
}: MemoKey): string {
  const parts = [evaluatorIdentity, resolve(directory), packageName, String(validate)];
  return join(memoDirectory, "evaluation", formatVersion, `${hashOf(parts.join("\0"))}.json`);
}
