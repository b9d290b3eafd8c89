import type { DependencyState } from "@cuenv/cache";
import type { CommandTask, EnvironmentValue } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { rmdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { OpenProject } from "../project/open-project.ts";
import { comparedOutputs } from "../run/compared-outputs.ts";
import { openCache } from "../run/create-run-context.ts";
import { createRunReporter } from "../run/run-reporter.ts";
import { firstDifference } from "./first-difference.ts";
import { type CachedOutcome, taskOutcomes } from "./task-outcomes.ts";

type Outputs = NonNullable<DependencyState["outputs"]>;
type Output = Outputs[number];

/** One output that the task did not make as it is stored. */
export interface OutputDifference {
  readonly path: string;
  /** missing: it was not made again. added: it is not stored. kind, target, mode: a folder for a file, another link, the exec bit. */
  readonly difference: "content" | "missing" | "added" | "kind" | "target" | "mode";
  readonly offset: number | null;
  readonly line: number | null;
  readonly before: string | null;
  readonly after: string | null;
}

export interface VerifiedTask {
  readonly key: string;
  /** failed: it does not even succeed. unknown: it ran with another key, so there is nothing to say. */
  readonly verdict: "same" | "different" | "failed" | "unknown";
  /** Of the second run. */
  readonly exitCode: number;
  readonly interrupted: boolean;
  readonly outputs: number;
  readonly differences: readonly OutputDifference[];
}

export interface VerifyOptions {
  readonly name: string;
  readonly args: readonly string[];
  /** Leave what the second run made, and do not put the stored result back. */
  readonly keep: boolean;
}

/**
 * Runs a task again, in its place and without its outputs there, and compares what it makes with what is stored. Nothing is stored. However it
 * ends, the stored result is in the workspace afterwards, as after a hit.
 * @throws {CuenvError} RUN_NOTHING_STORED
 */
export async function verifyTask(
  opened: OpenProject,
  { name, args, keep }: VerifyOptions,
): Promise<VerifiedTask> {
  const open = readingOnly(opened);
  const again = { names: [name], args };
  const restore = () => taskOutcomes(open, { ...again, force: false, quiet: true });
  const first = await restore();
  const stored = first.outcomes.get(name);
  if (stored?.kind !== "hit") throw nothingStored(name, stored);
  const before = stored.state.outputs ?? [];
  removeOutputs(open, before);
  try {
    const second = await taskOutcomes(open, { ...again, force: true, quiet: false });
    const outcome = second.outcomes.get(name);
    const after = outcome?.state.outputs ?? [];
    const verdict = verdictOf(stored, outcome);
    const differences =
      verdict === "same" ? await differencesOf(open, name, { before, after }) : [];
    return {
      key: stored.key,
      verdict: differences.length > 0 ? "different" : verdict,
      exitCode: second.exitCode,
      interrupted: isInterrupted(outcome, second.exitCode),
      outputs: before.filter(({ kind }) => kind !== "directory").length,
      differences,
    };
  } finally {
    if (!keep) await restore();
  }
}

/** The same project, with a cache that takes nothing. */
function readingOnly(open: OpenProject): OpenProject {
  const settings = { ...open.cache.settings, defaultMode: "read" } as const;
  return { ...open, cache: { ...open.cache, settings } };
}

function nothingStored(name: string, outcome: CachedOutcome | undefined): CuenvError {
  const reason =
    outcome?.kind === "executed"
      ? `it has no stored result (${outcome.miss.text})`
      : "it was not looked up";
  return new CuenvError("RUN_NOTHING_STORED", `cannot verify ${name}: ${reason}`, {
    hint: `cuenv task ${name} makes one.`,
  });
}

function isInterrupted(outcome: CachedOutcome | undefined, exitCode: number): boolean {
  if (outcome === undefined) return exitCode > 128;
  return outcome.kind === "executed" && outcome.execution.process.status === "cancelled";
}

function verdictOf(
  stored: CachedOutcome,
  again: CachedOutcome | undefined,
): "same" | "failed" | "unknown" {
  if (again?.kind !== "executed") return "unknown";
  if (!again.execution.succeeded) return "failed";
  return again.key === stored.key ? "same" : "unknown";
}

/** A task that finds its outputs there may leave them as they are, and prove nothing. Folders are named before what is in them. */
export function removeOutputs({ workspaceRoot }: OpenProject, outputs: Outputs): void {
  for (const { kind, path } of outputs.toReversed()) {
    const remove = kind === "directory" ? rmdirSync : unlinkSync;
    try {
      remove(join(workspaceRoot, path));
    } catch {
      // Gone already, or a folder that has something else in it.
    }
  }
}

async function differencesOf(
  open: OpenProject,
  name: string,
  { before, after }: { readonly before: Outputs; readonly after: Outputs },
): Promise<readonly OutputDifference[]> {
  const [stored, made] = [byPath(before), byPath(after)];
  const reporter = createRunReporter({ verbose: false, single: true, cacheOff: false });
  const { blobs } = openCache(open, false, reporter).engine;
  const showsText = !seesSecrets(open, name);
  const found: OutputDifference[] = [];
  for (const path of comparedOutputs(before, after)) {
    const [left, right] = [stored.get(path), made.get(path)];
    const difference = kindOfDifference(left, right);
    const none = { offset: null, line: null, before: null, after: null };
    if (difference !== "content" || left?.kind !== "file") {
      const targets =
        left?.kind === "symlink" && right?.kind === "symlink"
          ? { before: left.target, after: right.target }
          : {};
      found.push({ path, difference, ...none, ...targets });
      continue;
    }
    const { digest } = left;
    const content = await firstDifference(
      {
        whole: () => blobs.read(digest),
        read: (range) => blobs.read(digest, range),
        sizeBytes: digest.sizeBytes,
      },
      join(open.workspaceRoot, path),
    );
    found.push({
      path,
      difference,
      offset: content?.offset ?? null,
      line: content?.line ?? null,
      before: (showsText ? content?.before : undefined) ?? null,
      after: (showsText ? content?.after : undefined) ?? null,
    });
  }
  return found;
}

function byPath(outputs: Outputs): ReadonlyMap<string, Output> {
  return new Map(outputs.map((output) => [output.path, output]));
}

function kindOfDifference(
  left: Output | undefined,
  right: Output | undefined,
): OutputDifference["difference"] {
  if (left === undefined) return "added";
  if (right === undefined) return "missing";
  if (left.kind === "symlink" && right.kind === "symlink") return "target";
  if (left.kind !== "file" || right.kind !== "file") return "kind";
  return left.digest.hash === right.digest.hash ? "mode" : "content";
}

/** What is stored holds no secret. What was made just now was not looked through, so no line of it is shown then. */
function seesSecrets({ project }: OpenProject, name: string): boolean {
  const isSecret = (value: EnvironmentValue): boolean =>
    typeof value !== "string" &&
    (value.kind === "secret" || (value.kind === "joined" && value.parts.some(isSecret)));
  const task = project.tasks[name] as CommandTask | undefined;
  return [...Object.values(project.env), ...Object.values(task?.env ?? {})].some(isSecret);
}
