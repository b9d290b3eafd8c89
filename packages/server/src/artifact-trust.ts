import type { SignPayload, VerifyEnvelope } from "@cuenv/action-cache";
import type { ArtifactName } from "./artifact-store.ts";

/**
 * Whose artifacts are served, and what those that come in are signed with. A signature of ours says through whom an artifact came into the
 * store, and that its name, bytes and headers are what came in.
 */
export interface ArtifactTrust {
  readonly verify: VerifyEnvelope;
  readonly sign: SignPayload;
}

/** One that is not served, or was not kept. */
export interface RefusedArtifact extends ArtifactName {
  /** `stored`, `remote`: what lies in the store, or in the remote cache, was not signed by whom it would have to be. `incoming`: nothing that is signed here would be accepted. */
  readonly origin: "stored" | "remote" | "incoming";
  /** `unsigned`, `badSignature`, `keyMismatch` …; for metrics. */
  readonly reason: string;
  /** As the entry names it. It proves nothing. */
  readonly keyId: string | undefined;
  /** One clause, for people. */
  readonly detail: string;
}

/** One line for each key and cause, however many artifacts there are of it. */
export function createRefusalWarnings(
  warn: (message: string) => void,
): (refused: RefusedArtifact) => void {
  const told = new Set<string>();
  return ({ origin, reason, keyId, name, detail }) => {
    // Whoever could not sign has said so.
    if (origin === "incoming" && reason === "unsigned") return;
    const cause = `${origin} ${keyId ?? reason}`;
    if (told.has(cause)) return;
    told.add(cause);
    warn(
      origin === "incoming"
        ? `artifacts are not kept: ${detail}`
        : `${origin === "stored" ? "stored artifacts" : "artifacts of the remote cache"} are not used, ${name} for one: ${detail}`,
    );
  };
}
