import { CuenvError } from "@cuenv/errors";
import { isNamespace } from "@cuenv/action-cache";
import { LineCounter, parseDocument } from "yaml";
import {
  type CertificateGrant,
  grantProblem,
  type Identity,
  type Scope,
  type TokenGrant,
} from "./access-policy.ts";
import { isNamespacePattern } from "./claim-namespaces.ts";
import type { OidcIssuer, OidcRule } from "./oidc-identity.ts";
import { type Fields, isFields } from "./is-fields.ts";
import { isSafe } from "./safe-address.ts";
import type { TagPolicy } from "./turborepo/turborepo-front-end.ts";

/** What the file of `cuenv serve --config` says. */
export interface ServerSettings {
  readonly tokens: readonly TokenGrant[];
  /** Namespaces that anybody may read without a token; "*": all. */
  readonly anonymousReads: Identity["namespaces"] | undefined;
  /** Issuers whose OpenID Connect tokens are taken. */
  readonly oidc: readonly OidcIssuer[];
  /** What clients may do that show a certificate of `tls.clientCa`. */
  readonly certificates: readonly CertificateGrant[];
  /** Undefined: nothing is encrypted. */
  readonly tls: TlsFiles | undefined;
  /** By namespace: the key that a team's clients sign with. */
  readonly tags: ReadonlyMap<string, TagPolicy>;
  readonly maxArtifactBytes: number | undefined;
}

/** Files in PEM, as the configuration names them: relative to its own folder. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Who signs the certificates of clients; then nobody comes in without one. */
  readonly clientCa: string | undefined;
}

type Path = readonly (string | number)[];

interface Reading {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @throws {CuenvError} SERVER_CONFIG_INVALID, with the place of `path` */
  readonly refuse: (path: Path, problem: string, hint?: string) => never;
}

/**
 * Reads the configuration of a server, JSON or YAML.
 * @throws {CuenvError} SERVER_CONFIG_INVALID with file, line and field
 */
export function parseServerSettings(
  text: string,
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): ServerSettings {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const fail = (offset: number, problem: string, hint?: string): never => {
    const { line, col: column } = lines.linePos(offset);
    throw new CuenvError("SERVER_CONFIG_INVALID", `cannot use ${file}: ${problem}`, {
      location: { file, line, column },
      ...(hint === undefined ? {} : { hint }),
    });
  };
  const [broken] = document.errors;
  if (broken !== undefined) fail(broken.pos[0], broken.message.split("\n")[0] ?? "not YAML");
  const refuse: Reading["refuse"] = (path, problem, hint) => {
    const node: unknown = document.getIn(path, true);
    const range = isFields(node) && Array.isArray(node["range"]) ? Number(node["range"][0]) : 0;
    return fail(range, path.length === 0 ? problem : `${path.join(".")}: ${problem}`, hint);
  };
  return readSettings(document.toJS() as unknown, { environment, refuse });
}

function readSettings(value: unknown, reading: Reading): ServerSettings {
  const fields = fieldsOf(value ?? {}, [], reading, [
    "tokens",
    "certificates",
    "oidc",
    "tls",
    "anonymousReads",
    "teams",
    "maxArtifactBytes",
  ]);
  const { maxArtifactBytes: most, anonymousReads } = fields;
  if (most !== undefined && !(Number.isSafeInteger(most) && (most as number) > 0))
    reading.refuse(["maxArtifactBytes"], "it is not a number of bytes");
  const tokens = listOf(fields["tokens"] ?? [], ["tokens"], reading).map((token, index) =>
    tokenOf(token, ["tokens", index], reading),
  );
  for (const [index, token] of tokens.entries())
    for (const other of tokens.slice(0, index)) {
      const path = ["tokens", index] as const;
      if (other.name === token.name)
        reading.refuse([...path, "name"], "another token has this name");
      if (other.sha256 === token.sha256)
        reading.refuse([...path, "sha256"], `it is that of the token "${other.name}", too`);
    }
  const tls = tlsOf(fields["tls"], reading);
  const certificates = listOf(fields["certificates"] ?? [], ["certificates"], reading);
  if (certificates.length > 0 && tls?.clientCa === undefined)
    reading.refuse(
      ["certificates"],
      "no client is asked for a certificate",
      "tls.clientCa names the authority that signs those of clients.",
    );
  return {
    tokens,
    oidc: listOf(fields["oidc"] ?? [], ["oidc"], reading).map((issuer, index) =>
      issuerOf(issuer, ["oidc", index], reading),
    ),
    certificates: certificates.map((certificate, index) =>
      certificateOf(certificate, ["certificates", index], reading),
    ),
    tls,
    anonymousReads:
      anonymousReads === undefined
        ? undefined
        : namespacesOf(anonymousReads, ["anonymousReads"], reading),
    tags: tagsOf(fields["teams"], reading),
    maxArtifactBytes: most as number | undefined,
  };
}

function tokenOf(value: unknown, path: Path, reading: Reading): TokenGrant {
  const fields = fieldsOf(value, path, reading, [
    "name",
    "sha256",
    "namespaces",
    "scopes",
    "readsThrough",
  ]);
  const { name, sha256 } = fields;
  if (typeof name !== "string" || !/^[\w.@-]{1,64}$/.test(name))
    return reading.refuse([...path, "name"], "it is not 1 to 64 letters, digits and ._@-");
  const grant = {
    name,
    sha256: typeof sha256 === "string" ? sha256 : "",
    namespaces: namespacesOf(fields["namespaces"], [...path, "namespaces"], reading),
    scopes: scopesOf(fields["scopes"], [...path, "scopes"], reading),
    ...readsThroughOf(fields["readsThrough"], [...path, "readsThrough"], reading),
  };
  const problem = grantProblem(grant);
  if (problem !== undefined)
    reading.refuse([...path, "sha256"], problem, "cuenv serve token prints such an entry");
  return grant;
}

function certificateOf(value: unknown, path: Path, reading: Reading): CertificateGrant {
  const known = ["commonName", "namespaces", "scopes", "readsThrough"];
  const fields = fieldsOf(value, path, reading, known);
  const { commonName } = fields;
  if (typeof commonName !== "string" || commonName === "")
    return reading.refuse([...path, "commonName"], 'it is not a name; "*" is any');
  return {
    commonName,
    name: commonName,
    namespaces: namespacesOf(fields["namespaces"], [...path, "namespaces"], reading),
    scopes: scopesOf(fields["scopes"], [...path, "scopes"], reading),
    ...readsThroughOf(fields["readsThrough"], [...path, "readsThrough"], reading),
  };
}

function tlsOf(value: unknown, reading: Reading): TlsFiles | undefined {
  if (value === undefined) return undefined;
  const fields = fieldsOf(value, ["tls"], reading, ["certificate", "key", "clientCa"]);
  const fileOf = (field: string): string => {
    const file = fields[field];
    if (typeof file === "string" && file !== "") return file;
    return reading.refuse(["tls", field], "it is not the name of a file in PEM");
  };
  return {
    certificate: fileOf("certificate"),
    key: fileOf("key"),
    clientCa: fields["clientCa"] === undefined ? undefined : fileOf("clientCa"),
  };
}

function issuerOf(value: unknown, path: Path, reading: Reading): OidcIssuer {
  const fields = fieldsOf(value, path, reading, ["issuer", "audience", "rules"]);
  const { issuer, audience } = fields;
  const url = typeof issuer === "string" ? URL.parse(issuer) : null;
  if (typeof issuer !== "string" || url === null || !isSafe(url))
    return reading.refuse([...path, "issuer"], "it is not an https address");
  if (typeof audience !== "string" || audience === "")
    return reading.refuse(
      [...path, "audience"],
      "it is not there: a token that was made for another service would do",
    );
  const rules = listOf(fields["rules"], [...path, "rules"], reading);
  return {
    issuer,
    audience,
    rules: rules.map((rule, index) => ruleOf(rule, [...path, "rules", index], reading)),
  };
}

function ruleOf(value: unknown, path: Path, reading: Reading): OidcRule {
  const known = ["claims", "namespaces", "scopes", "readsThrough"];
  const fields = fieldsOf(value, path, reading, known);
  const { claims } = fields;
  if (!isFields(claims) || Object.keys(claims).length === 0)
    return reading.refuse([...path, "claims"], "it names no claim, so that any token would fit");
  const odd = Object.entries(claims).find(([, pattern]) => typeof pattern !== "string");
  if (odd !== undefined) reading.refuse([...path, "claims", odd[0]], "it is not a text");
  return {
    claims: claims as Readonly<Record<string, string>>,
    namespaces: namespacesOf(
      fields["namespaces"],
      [...path, "namespaces"],
      reading,
      isNamespacePattern,
    ),
    scopes: scopesOf(fields["scopes"], [...path, "scopes"], reading),
    ...readsThroughOf(fields["readsThrough"], [...path, "readsThrough"], reading),
  };
}

function namespacesOf(
  value: unknown,
  path: Path,
  reading: Reading,
  isOne: (name: string) => boolean = isNamespace,
): "*" | readonly string[] {
  if (value === "*") return value;
  const names = listOf(value, path, reading);
  const odd = names.findIndex((name) => typeof name !== "string" || !isOne(name));
  if (odd >= 0) reading.refuse([...path, odd], "it is not a namespace: letters, digits, . _ -");
  if (names.length === 0) reading.refuse(path, 'it is empty; "*" is all namespaces');
  return names as readonly string[];
}

function readsThroughOf(
  value: unknown,
  path: Path,
  reading: Reading,
): Pick<TokenGrant, "readsThrough"> {
  if (value === undefined) return {};
  const namespaces = namespacesOf(value, path, reading);
  return namespaces === "*"
    ? reading.refuse(path, "it is not a list of namespaces")
    : { readsThrough: namespaces };
}

function scopesOf(value: unknown, path: Path, reading: Reading): readonly Scope[] {
  const scopes = listOf(value, path, reading);
  const odd = scopes.findIndex((scope) => scope !== "read" && scope !== "write");
  if (odd >= 0) reading.refuse([...path, odd], "a scope is read or write");
  if (scopes.length === 0) reading.refuse(path, "it is empty: read, write or both");
  return scopes as readonly Scope[];
}

function tagsOf(value: unknown, reading: Reading): ReadonlyMap<string, TagPolicy> {
  const known = ["signatureKey", "requireSignature"];
  const teams = Object.entries(isFields(value) ? value : {});
  if (value !== undefined && !isFields(value)) reading.refuse(["teams"], "it is not a mapping");
  return new Map(
    teams.map(([namespace, team]) => {
      const path = ["teams", namespace];
      if (!isNamespace(namespace)) reading.refuse(path, "it is not a namespace");
      const { signatureKey, requireSignature = false } = fieldsOf(team, path, reading, known);
      if (typeof requireSignature !== "boolean")
        return reading.refuse([...path, "requireSignature"], "it is not true or false");
      const key = secretOf(signatureKey, [...path, "signatureKey"], reading);
      return [namespace, { key, required: requireSignature }];
    }),
  );
}

/** Secrets come from the environment: a file with their values would be read by more people than should know them. */
function secretOf(value: unknown, path: Path, reading: Reading): string {
  const variable = typeof value === "string" ? /^\$\{(\w+)\}$/.exec(value)?.[1] : undefined;
  if (variable === undefined)
    return reading.refuse(path, "it is not the name of a variable, like ${TEAM_KEY}");
  const secret = reading.environment[variable] ?? "";
  if (secret === "") reading.refuse(path, `the variable ${variable} is not set`);
  return secret;
}

function listOf(value: unknown, path: Path, reading: Reading): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : reading.refuse(path, "it is not a list");
}

function fieldsOf(value: unknown, path: Path, reading: Reading, known: readonly string[]): Fields {
  if (!isFields(value)) return reading.refuse(path, "it is not a mapping");
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined)
    reading.refuse([...path, unknown], "there is no such field", `known are ${known.join(", ")}`);
  return value;
}
