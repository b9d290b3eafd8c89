import type { ArtifactRecord } from "@cuenv/action-cache";
import type { Identity } from "./access-policy.ts";
import type { ArtifactName, ArtifactStore } from "./artifact-store.ts";

/** Who asks, and in which namespace. */
export interface Admitted {
  readonly identity: Identity;
  readonly namespace: string;
}

/**
 * In the namespace that is asked for, then in those that the token may read besides: a pull request's own first, then that of main.
 * @throws {CuenvError} *_STORE_UNAVAILABLE
 */
export async function findReadable(
  artifacts: ArtifactStore,
  { identity, namespace }: Admitted,
  artifact: Omit<ArtifactName, "namespace">,
  signal: AbortSignal,
): Promise<ArtifactRecord | undefined> {
  for (const each of [namespace, ...(identity.readsThrough ?? [])]) {
    const record = await artifacts.find({ ...artifact, namespace: each }, signal);
    if (record !== undefined) return record;
  }
  return undefined;
}
