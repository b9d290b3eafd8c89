import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  type JWTPayload,
  jwtVerify,
} from "jose";
import type { Identity } from "./access-policy.ts";
import { fillNamespaces } from "./claim-namespaces.ts";
import { isSafe } from "./safe-address.ts";

/** Whose tokens are taken, and what each may do: of GitHub Actions, GitLab, or any that signs OpenID Connect tokens. */
export interface OidcIssuer {
  /** As the token's `iss` has it, `https://token.actions.githubusercontent.com`. */
  readonly issuer: string;
  /** What the token must be for (`aud`), so that one made for another service is none here. */
  readonly audience: string;
  /** The first that fits counts. */
  readonly rules: readonly OidcRule[];
}

/** `{claim}` in one of its namespaces stands for that claim: `acme-pr-{ref}` is a space of its own for each pull request. */
export interface OidcRule extends Omit<Identity, "name"> {
  /** All must fit: claim → its value; a `*` in it stands for any text. */
  readonly claims: Readonly<Record<string, string>>;
}

export interface OidcOptions {
  readonly issuers: readonly OidcIssuer[];
  /** Why a token was not taken, for whoever runs the server: once a minute for each cause, whatever is presented. No token is in it. */
  readonly onTrouble?: (message: string) => void;
  /** A clock that only goes forward (ms). */
  readonly now?: () => number;
}

/** Signatures that need the issuer's private key; none and HMAC are no signatures of an issuer. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"];
/** An issuer that does not answer in this time (ms) is not asked for this token. */
const issuerTimeoutMs = 5_000;
/** Clocks of the issuer and ours may differ by so much (s). */
const clockToleranceSeconds = 60;
const maxTokenChars = 16 * 1024;
/** Who is not known can present as many tokens as he likes: of one cause there is one line in so long (ms). */
const quietMs = 60_000;
const maxDocumentBytes = 1024 * 1024;

/** The identity of a token that is an OpenID Connect token of a known issuer; undefined for every other. */
export type IdentifyOidc = (token: string) => Promise<Identity | undefined>;

export function createOidcIdentity(options: OidcOptions): IdentifyOidc {
  const known = new Map(
    options.issuers.map((issuer) => [issuer.issuer, { issuer, keys: keysOf(issuer.issuer) }]),
  );
  const tell = createTelling(options);
  return async (token) => {
    const found = token.length <= maxTokenChars ? known.get(claimedIssuer(token)) : undefined;
    if (found === undefined) return undefined;
    const { issuer } = found;
    try {
      const { payload } = await jwtVerify(token, await found.keys(), {
        issuer: issuer.issuer,
        audience: issuer.audience,
        algorithms,
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ["exp", "iss", "aud", "sub"],
      });
      return identityOf(issuer, payload);
    } catch (error) {
      tell(issuer.issuer, error);
      return undefined;
    }
  };
}

/** Causes are few, whatever a token says: the code of an error, and which of the claims that are looked at. */
function createTelling({ onTrouble, now = () => performance.now() }: OidcOptions) {
  const told = new Map<string, number>();
  return (issuer: string, error: unknown): void => {
    const cause = `${issuer} ${causeOf(error)}`;
    if (now() - (told.get(cause) ?? -Infinity) < quietMs) return;
    told.set(cause, now());
    onTrouble?.(`a token of ${issuer} is not taken: ${reasonOf(error)}`);
  };
}

function causeOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `${error.code} ${error.claim}`;
  return error instanceof errors.JOSEError ? error.code : "";
}

function reasonOf(error: unknown): string {
  // Its message has what the token's header says.
  if (error instanceof errors.JOSENotSupported) return "it needs what is not supported here";
  return error instanceof Error ? error.message : String(error);
}

/** What the token says of itself, unproved: only which issuer's keys to ask. */
function claimedIssuer(token: string): string {
  try {
    return decodeJwt(token).iss ?? "";
  } catch {
    return "";
  }
}

function identityOf({ rules }: OidcIssuer, payload: JWTPayload): Identity | undefined {
  for (const { claims, namespaces: named, scopes, readsThrough } of rules) {
    if (!Object.entries(claims).every(([name, pattern]) => fits(payload[name], pattern))) continue;
    const namespaces = fillNamespaces(named, payload);
    if (namespaces === undefined) continue;
    return { name: `oidc:${payload.sub ?? ""}`.slice(0, 256), namespaces, scopes, readsThrough };
  }
  return undefined;
}

function fits(value: unknown, pattern: string): boolean {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
    return false;
  const text = String(value);
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** The issuer's keys, found where its own description says, once; they are fetched anew when a token names one that is not known. */
function keysOf(issuer: string) {
  let keys: Promise<ReturnType<typeof createRemoteJWKSet>> | undefined;
  return (): Promise<ReturnType<typeof createRemoteJWKSet>> => {
    keys ??= findKeys(issuer).catch((error: unknown) => {
      keys = undefined;
      throw error;
    });
    return keys;
  };
}

async function findKeys(issuer: string) {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const answer = await limitedFetch(url, { signal: AbortSignal.timeout(issuerTimeoutMs) });
  const description = (await answer.json()) as { readonly jwks_uri?: unknown };
  const where = typeof description.jwks_uri === "string" ? URL.parse(description.jwks_uri) : null;
  if (where === null || !isSafe(where)) throw new Error(`${url} names no keys`);
  return createRemoteJWKSet(where, {
    timeoutDuration: issuerTimeoutMs,
    [customFetch]: limitedFetch,
  });
}

async function limitedFetch(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, { ...init, redirect: "error" });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body ?? []) {
    length += chunk.byteLength;
    if (length > maxDocumentBytes) throw new Error(`${url} is too long`);
    chunks.push(chunk);
  }
  const headers = { "content-type": "application/json" };
  return new Response(Buffer.concat(chunks), { status: 200, headers });
}
