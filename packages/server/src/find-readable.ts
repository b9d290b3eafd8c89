import type { ArtifactRecord } from "@cuenv/action-cache";
import { type Identity, isAllowed, type Scope } from "./access-policy.ts";
import type { ArtifactName, ArtifactStore } from "./artifact-store.ts";

/** Who asks, and in which namespace. */
export interface Admitted {
  readonly identity: Identity;
  readonly namespace: string;
}

/**
 * Whether who asks is let in. Who may only write is let in to read, and finds nothing: to most clients of HTTP a read that is refused ends the use of the
 * cache for this build, writing included.
 */
export function isLetIn(identity: Identity, scope: Scope, namespace: string): boolean {
  if (isAllowed(identity, scope, namespace)) return true;
  return scope === "read" && isAllowed(identity, "write", namespace);
}

/**
 * In the namespace that is asked for, then in those that the token may read besides: a pull request's own first, then that of main. Nothing for
 * who may only write.
 * @param find of an artifact store; `describe`, where only the record is wanted
 * @throws {CuenvError} *_STORE_UNAVAILABLE
 */
export async function findReadable(
  find: ArtifactStore["find"],
  { identity, namespace }: Admitted,
  artifact: Omit<ArtifactName, "namespace">,
  signal: AbortSignal,
): Promise<ArtifactRecord | undefined> {
  if (!identity.scopes.includes("read")) return undefined;
  for (const each of [namespace, ...(identity.readsThrough ?? [])]) {
    const record = await find({ ...artifact, namespace: each }, signal);
    if (record !== undefined) return record;
  }
  return undefined;
}
