import { hash, timingSafeEqual } from "node:crypto";
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

/** What a client may do that shows a certificate, which was verified. */
export interface CertificateGrant extends Identity {
  /** The common name of its subject; "*" for any. */
  readonly commonName: string;
}

/** Whom to let in. */
export interface AccessPolicy {
  /**
   * The owner of a presented token; of none, whom the certificate is for that the connection was made with. Undefined when the token is nobody's, or
   * nothing was presented and nobody may come without.
   */
  identify(token: string | undefined, certificateName?: string): Promise<Identity | undefined>;
}

export interface AccessPolicyOptions {
  readonly grants: readonly TokenGrant[];
  /** The first whose name fits counts. */
  readonly certificates?: readonly CertificateGrant[] | undefined;
  /** What those without a token may do; undefined: nothing. */
  readonly anonymous?: Omit<Identity, "name">;
  /** Asked about a token that is none of the grants'. */
  readonly oidc?: IdentifyOidc | undefined;
}

/** @throws {CuenvError} SERVER_CONFIG_INVALID */
export function createAccessPolicy(options: AccessPolicyOptions): AccessPolicy {
  const grants = options.grants.map((grant) => {
    assertGrant(grant);
    return { grant, sha256: Buffer.from(grant.sha256, "hex") };
  });
  assertDistinct(options.grants);
  const { anonymous } = options;
  return {
    async identify(token, certificateName) {
      if (token === undefined || token === "") {
        const shown = certificateOwner(options.certificates, certificateName);
        if (shown !== undefined) return shown;
        return anonymous === undefined ? undefined : { name: "anonymous", ...anonymous };
      }
      const presented = hash("sha256", token, "buffer");
      // All are compared, so that the time tells nothing about which one it nearly was.
      let found: TokenGrant | undefined;
      for (const { grant, sha256 } of grants) if (timingSafeEqual(sha256, presented)) found = grant;
      return found ?? (await options.oidc?.(token));
    },
  };
}

function certificateOwner(
  certificates: readonly CertificateGrant[] | undefined,
  name: string | undefined,
): Identity | undefined {
  if (name === undefined) return undefined;
  const found = certificates?.find(({ commonName }) => commonName === "*" || commonName === name);
  if (found === undefined) return undefined;
  const { commonName: _, ...identity } = found;
  return { ...identity, name: `cert:${name}`.slice(0, 256) };
}

/** For a server that only this machine reaches: whoever comes may do everything. */
export function createOpenPolicy(): AccessPolicy {
  const anybody: Identity = { name: "anybody", namespaces: "*", scopes: ["read", "write"] };
  return { identify: async () => anybody };
}

/** The same people, who may do of what they could only this. */
export function createLimitedPolicy(policy: AccessPolicy, only: Scope): AccessPolicy {
  return {
    async identify(token, certificateName) {
      const identity = await policy.identify(token, certificateName);
      return identity && { ...identity, scopes: identity.scopes.filter((scope) => scope === only) };
    },
  };
}

/** Whether `identity` may do this in `namespace`. */
export function isAllowed(identity: Identity, scope: Scope, namespace: string): boolean {
  if (!identity.scopes.includes(scope)) return false;
  return identity.namespaces === "*" || identity.namespaces.includes(namespace);
}

export function hashToken(token: string): string {
  return hash("sha256", token);
}

function assertGrant(grant: TokenGrant): void {
  const problem = grantProblem(grant);
  if (problem === undefined) return;
  throw new CuenvError("SERVER_CONFIG_INVALID", `cannot use token "${grant.name}": ${problem}`);
}

/** With two grants for one token, somebody would have other rights than is written in one of them. */
function assertDistinct(grants: readonly TokenGrant[]): void {
  const seen = new Map<string, string>();
  for (const { name, sha256 } of grants) {
    const other = seen.get(sha256);
    if (other !== undefined)
      throw new CuenvError(
        "SERVER_CONFIG_INVALID",
        `cannot use token "${name}": it is the same as "${other}"`,
        { hint: "Give each its own; cuenv serve token makes one." },
      );
    seen.set(sha256, name);
  }
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
