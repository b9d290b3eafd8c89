import type { OutputEntry } from "@cuenv/cas";
import type { Digest, DigestFunction } from "@cuenv/digest";

/** Who ran it, in what. For people and audits: nothing is decided by it. */
export interface Builder {
  /** A stable name of whatever ran the task: `local`, or the CI system's. */
  readonly id: string;
  /** Of cuenv. */
  readonly version: string;
  readonly os: string;
  readonly arch: string;
}

/** What a successful run of a task gave. Stored under the key of its Action; the payload of an entry (entry.ts). */
export interface TaskResult {
  /** The key that it was stored under; an entry under another one is refused. */
  readonly key: Digest & { readonly function: DigestFunction };
  readonly namespace: string;
  /** Sorted by UTF-8 bytes of the path. */
  readonly outputs: readonly OutputEntry[];
  /** Declared outputs, relative to the workspace root, as KeyInputs has them. */
  readonly declaredOutputs: readonly string[];
  readonly exitCode: number;
  /** Null: nothing was recorded of the stream. */
  readonly stdout: Digest | null;
  readonly stderr: Digest | null;
  /** The blob of the KeyInputs as JSON, for explanations. */
  readonly keyInputs: Digest | null;
  readonly keyEpoch: number;
  readonly keySchema: number;
  readonly builder: Builder;
  /** Free text by name: user, host, commit. Never the value of a secret. */
  readonly provenance?: Readonly<Record<string, string>>;
  /** ISO 8601 in UTC, with milliseconds. */
  readonly startedAt: string;
  readonly durationMs: number;
}

/** When the task ended, in milliseconds since the epoch: what a signature of its result is dated by. */
export function endOf({ startedAt, durationMs }: TaskResult): number {
  return Date.parse(startedAt) + durationMs;
}

/** All blobs that a result needs, each once or more often. */
export function referencedDigests(result: TaskResult): Digest[] {
  const digests = result.outputs.flatMap((entry) => (entry.kind === "file" ? [entry.digest] : []));
  for (const digest of [result.stdout, result.stderr, result.keyInputs]) {
    if (digest !== null) digests.push(digest);
  }
  return digests;
}
