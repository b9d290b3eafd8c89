import { createHash, timingSafeEqual } from "node:crypto";
import { isNamespace } from "@cuenv/action-cache";
import { CuenvError } from "@cuenv/errors";
import type { IdentifyOidc } from "./oidc-identity.ts";

export type Scope = "read" | "write";

/** What one token may do. Only the token's hash is known here. */
export interface TokenGrant {
  /** For people: in the access log, and as the writer of an artifact. */
  readonly name: string;
  /** SHA-256 of the token, 64 hex digits. */
  readonly sha256: string;
  /** Of the namespaces that it is for; "*" for all. */
  readonly namespaces: "*" | readonly string[];
  readonly scopes: readonly Scope[];
  /** Namespaces that are read, never written, where its own have nothing: a pull request reads what main has. */
  readonly readsThrough?: readonly string[] | undefined;
}

/** Whom a request comes from. */
export type Identity = Omit<TokenGrant, "sha256">;

/** Whom to let in. */
export interface AccessPolicy {
  /** The owner of a presented token; undefined when nobody's, or none was presented and nobody may come without. */
  identify(token: string | undefined): Promise<Identity | undefined>;
}

export interface AccessPolicyOptions {
  readonly grants: readonly TokenGrant[];
  /** What those without a token may do; undefined: nothing. */
  readonly anonymous?: Omit<Identity, "name">;
  /** Asked about a token that is none of the grants'. */
  readonly oidc?: IdentifyOidc | undefined;
}

/** @throws {CuenvError} SERVER_CONFIG_INVALID */
export function createAccessPolicy(options: AccessPolicyOptions): AccessPolicy {
  const grants = options.grants.map((grant) => {
    assertGrant(grant);
    return { grant, hash: Buffer.from(grant.sha256, "hex") };
  });
  const { anonymous } = options;
  return {
    async identify(token) {
      if (token === undefined || token === "")
        return anonymous === undefined ? undefined : { name: "anonymous", ...anonymous };
      const presented = createHash("sha256").update(token).digest();
      // All are compared, so that the time tells nothing about which one it nearly was.
      let found: TokenGrant | undefined;
      for (const { grant, hash } of grants) if (timingSafeEqual(hash, presented)) found = grant;
      return found ?? (await options.oidc?.(token));
    },
  };
}

/** For a server that only this machine reaches: whoever comes may do everything. */
export function createOpenPolicy(): AccessPolicy {
  const anybody: Identity = { name: "anybody", namespaces: "*", scopes: ["read", "write"] };
  return { identify: async () => anybody };
}

/** Whether `identity` may do this in `namespace`. */
export function isAllowed(identity: Identity, scope: Scope, namespace: string): boolean {
  if (!identity.scopes.includes(scope)) return false;
  return identity.namespaces === "*" || identity.namespaces.includes(namespace);
}

export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function assertGrant(grant: TokenGrant): void {
  const problem = grantProblem(grant);
  if (problem === undefined) return;
  throw new CuenvError("SERVER_CONFIG_INVALID", `cannot use token "${grant.name}": ${problem}`);
}

/** Why a grant cannot be used. */
export function grantProblem(grant: TokenGrant): string | undefined {
  if (!/^[0-9a-f]{64}$/.test(grant.sha256)) return "its sha256 is not 64 hex digits";
  if (grant.scopes.length === 0) return "it has no scope: read, write or both";
  const others = grant.readsThrough?.find((namespace) => !isNamespace(namespace));
  if (others !== undefined) return `${JSON.stringify(others)} is not a namespace`;
  if (grant.namespaces === "*") return undefined;
  if (grant.namespaces.length === 0) return "it has no namespace";
  const odd = grant.namespaces.find((namespace) => !isNamespace(namespace));
  return odd === undefined ? undefined : `${JSON.stringify(odd)} is not a namespace`;
}
