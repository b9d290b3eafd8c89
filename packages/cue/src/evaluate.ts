import { realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CuenvError } from "@cuenv/errors";
import type { Evaluation, EvaluationInput } from "./evaluation.ts";
import { decodeAnswer } from "./decode-answer.ts";
import { type EvaluatorThread, startEvaluatorThread } from "./evaluator-thread.ts";
import { errorOfCrash, errorOfFailure, errorOfRefusal, errorOfTimeout } from "./failure-error.ts";
import { findModuleRoot } from "./find-module-root.ts";
import { type EvaluationLimits, defaultLimits } from "./limits.ts";
import { reasonOf } from "./reason-of.ts";
import type { EvaluatorAnswer, WorkerMessage } from "./wire.ts";

export interface EvaluateOptions {
  /** The folder of the package. */
  readonly directory: string;
  /**
   * The package's name. Default: "cuenv", else "env", else the only package there, else an `env.cue` without a package
   * clause, which is then "_".
   */
  readonly packageName?: string | undefined;
  /** Whether cuenv's own schema holds for the package, imported or not. Default: true. */
  readonly validate?: boolean;
  readonly limits?: Partial<EvaluationLimits>;
  readonly signal?: AbortSignal | undefined;
}

export interface EvaluateResult {
  readonly evaluation: Evaluation;
  readonly inputs: readonly EvaluationInput[];
  readonly packageName: string;
  /** Definitions of cuenv's schemas that the package names and ours does not have; they were taken as anything. */
  readonly unknownDefinitions: readonly string[];
}

/** What is remembered: the evaluator's words, undecoded. */
export interface RawResult {
  readonly answer: EvaluatorAnswer;
  readonly inputs: readonly EvaluationInput[];
}

let thread: EvaluatorThread | undefined;
let queue: Promise<unknown> = Promise.resolve();

/**
 * Evaluates the CUE package of a folder, as `cue export .:<package>` does: its files in the folder and in the folder's
 * ancestors up to the module root are one. The evaluator sees nothing outside the module root, and no network. It stays
 * loaded for later calls, and does not keep the process alive.
 *
 * Throws CuenvError with a CUE_* code; `others` are further errors of the same evaluation.
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluateResult> {
  const { answer, inputs } = await evaluateRaw(options);
  return { ...decodeAnswer(answer), inputs };
}

export function evaluateRaw(options: EvaluateOptions): Promise<RawResult> {
  const turn = queue.then(() => evaluateInTurn(options));
  queue = turn.catch(() => {});
  return turn;
}

async function evaluateInTurn(options: EvaluateOptions): Promise<RawResult> {
  const { packageName = "", validate = true, signal } = options;
  const directory = resolve(options.directory);
  const limits = { ...defaultLimits, ...options.limits };
  signal?.throwIfAborted();
  requireDirectory(directory);
  const { root, inputs: rootInputs } = findModuleRoot(directory);
  const evaluator = await readyThread(limits.memoryBytes);
  const schema = validate ? "checks" : "none";
  const request = { directory, root, packageName, schema, limits } as const;
  const message = await evaluator.ask(request, signal);
  if (message === "timeout") throw errorOfTimeout(directory, limits);
  const { answer, inputs, refusal } = answered(message, directory, limits);
  if (refusal !== undefined) throw errorOfRefusal(refusal, directory);
  const failure = answer.startsWith('{"failure"') ? JSON.parse(answer).failure : undefined;
  if (failure !== undefined)
    throw errorOfFailure(failure, { directory, root, packageName, limits });
  return { answer, inputs: withoutImplied([...rootInputs, ...inputs]) };
}

/** Where a folder is missing, all that was looked for in it is; each path once. */
function withoutImplied(inputs: readonly EvaluationInput[]): readonly EvaluationInput[] {
  const byPath = new Map(inputs.map((input) => [input.path, input]));
  const missing = new Set(inputs.flatMap(({ kind, path }) => (kind === "missing" ? [path] : [])));
  return [...byPath.values()].filter(({ kind, path }) => {
    if (kind !== "missing") return true;
    for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder))
      if (missing.has(folder)) return false;
    return true;
  });
}

function answered(
  message: WorkerMessage,
  directory: string,
  limits: EvaluationLimits,
): WorkerMessage & { kind: "answer" } {
  if (message.kind === "answer") return message;
  throw errorOfCrash(message, directory, limits);
}

async function readyThread(memoryBytes: number): Promise<EvaluatorThread> {
  if (thread?.isAlive && thread.memoryBytes === memoryBytes) return thread;
  await thread?.end();
  thread = startEvaluatorThread(memoryBytes);
  return thread;
}

/** Ends the evaluator's thread, if there is one. The next evaluation starts another. */
export async function disposeEvaluator(): Promise<void> {
  const ending = thread;
  thread = undefined;
  await ending?.end();
}

function requireDirectory(directory: string): void {
  let reason = "it is not a folder";
  try {
    if (statSync(realpathSync(directory)).isDirectory()) return;
  } catch (error) {
    reason = reasonOf(error);
  }
  throw new CuenvError("CUE_READ", `cannot evaluate ${directory}: ${reason}`, {
    hint: "name a folder with an env.cue",
    location: { file: directory },
  });
}
