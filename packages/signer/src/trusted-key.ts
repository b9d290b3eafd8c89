import type { PublicKey } from "./ed25519.ts";

/** What a key is for. `ci-main`: builds of the protected branch; only these are accepted under `ci-only`. */
export type KeyRole = "ci-main" | "ci" | "developer";

export const keyRoles: readonly KeyRole[] = ["ci-main", "ci", "developer"];

/** A key of the trust file. Times are milliseconds since the epoch. */
export interface TrustedKey extends PublicKey {
  /** For people. */
  readonly name: string | undefined;
  readonly roles: readonly KeyRole[];
  /** The namespaces whose entries it may sign; `*` stands for all. */
  readonly namespaces: readonly string[];
  readonly notBeforeMs: number | undefined;
  /** From then on nothing that it signed is accepted. */
  readonly notAfterMs: number | undefined;
  /** `always`: nothing that it signed is accepted. A time: nothing that says to be from then or later. */
  readonly revoked: "always" | number | undefined;
}

/** By key id. */
export type TrustedKeys = ReadonlyMap<string, TrustedKey>;
