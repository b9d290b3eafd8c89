import { describe, expect, it } from "vitest";
import { hashToken } from "./access-policy.ts";
import { parseServerSettings } from "./server-settings.ts";

const sha256 = hashToken("secret");
const token = { name: "ci", sha256, namespaces: ["acme"], scopes: ["read", "write"] };

const rule = { claims: { sub: "x" }, namespaces: ["acme"], scopes: ["read"] };
const oidc = { issuer: "https://a.example", audience: "cuenv", rules: [rule] };

function parse(value: unknown, environment: Record<string, string> = {}) {
  const text = typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
  return parseServerSettings(text, "server.yaml", environment);
}

function problemOf(value: unknown): unknown {
  try {
    parse(value);
    return "no problem";
  } catch (error) {
    return error;
  }
}

describe("the configuration of a server", () => {
  it("may be empty, and lets nobody in then", () => {
    for (const text of ["", "{}", "# nothing\n"])
      expect(parse(text)).toEqual({
        tokens: [],
        oidc: [],
        certificates: [],
        tls: undefined,
        anonymousReads: undefined,
        tags: new Map(),
        maxArtifactBytes: undefined,
      });
  });

  it("has tokens by hash, what everybody may read, and teams that sign", () => {
    const text = `
tokens:
  - {name: ci, sha256: "${sha256}", namespaces: [acme], scopes: [read, write]}
  - {name: all, sha256: "${hashToken("other")}", namespaces: "*", scopes: [read]}
anonymousReads: [public]
maxArtifactBytes: 1000
teams:
  acme: {signatureKey: "\${ACME_KEY}", requireSignature: true}
`;
    expect(parse(text, { ACME_KEY: "the key" })).toEqual({
      tokens: [
        token,
        { name: "all", sha256: hashToken("other"), namespaces: "*", scopes: ["read"] },
      ],
      anonymousReads: ["public"],
      oidc: [],
      certificates: [],
      tls: undefined,
      maxArtifactBytes: 1000,
      tags: new Map([["acme", { key: "the key", required: true }]]),
    });
  });

  it("has files of TLS, and what clients may do by the name in their certificate", () => {
    const tls = { certificate: "server.pem", key: "server.key", clientCa: "ca.pem" };
    const certificates = [{ commonName: "ci.acme", namespaces: ["acme"], scopes: ["read"] }];
    expect(parse({ tls, certificates })).toMatchObject({ tls, certificates });
    expect(parse({ tls: { certificate: "a", key: "b" } }).tls).toEqual({
      certificate: "a",
      key: "b",
      clientCa: undefined,
    });
    for (const odd of [
      { certificates },
      { tls: { certificate: "a", key: "b" }, certificates },
      { tls: { certificate: "a" } },
      { tls: { ...tls, ca: "x" } },
      { tls: { ...tls, clientCa: 7 } },
      { tls, certificates: [{ ...certificates[0], commonName: "" }] },
      { tls, certificates: [{ ...certificates[0], namespaces: [] }] },
    ])
      expect(problemOf(odd)).toMatchObject({ code: "SERVER_CONFIG_INVALID" });
  });

  it("says in which line and field something is wrong", () => {
    const text = `tokens:\n  - name: ci\n    sha256: "${sha256}"\n    namespaces: [acme, a/b]\n    scopes: [read]\n`;
    expect(problemOf(text)).toMatchObject({
      code: "SERVER_CONFIG_INVALID",
      message: expect.stringContaining("tokens.0.namespaces.1: it is not a namespace"),
      location: { file: "server.yaml", line: 4, column: 24 },
    });
  });

  it.each([
    ["a field that there is not", { token: [] }, "token: there is no such field"],
    ["a token in clear", { tokens: [{ ...token, sha256: "secret" }] }, "not 64 hex digits"],
    ["no scope", { tokens: [{ ...token, scopes: [] }] }, "scopes: it is empty"],
    ["another scope", { tokens: [{ ...token, scopes: ["admin"] }] }, "a scope is read or write"],
    ["no namespace", { tokens: [{ ...token, namespaces: [] }] }, "namespaces: it is empty"],
    ["a name twice", { tokens: [token, token] }, "another token has this name"],
    [
      "a token twice",
      { tokens: [token, { ...token, name: "other" }] },
      `tokens.1.sha256: it is that of the token "${token.name}", too`,
    ],
    ["an odd name", { tokens: [{ ...token, name: "a b" }] }, "tokens.0.name"],
    ["no list", { tokens: {} }, "tokens: it is not a list"],
    ["a size in words", { maxArtifactBytes: "2GB" }, "it is not a number of bytes"],
    ["a key in clear", { teams: { acme: { signatureKey: "key" } } }, "not the name of a variable"],
    ["an unset key", { teams: { acme: { signatureKey: "${NO}" } } }, "the variable NO is not set"],
    ["a list of teams", { teams: [] }, "teams: it is not a mapping"],
    ["an issuer without encryption", { oidc: [{ issuer: "http://a.example" }] }, "not an https"],
    ["no audience", { oidc: [{ issuer: "https://a.example", rules: [] }] }, "audience: it is not"],
    [
      "a rule for everybody",
      { oidc: [{ ...oidc, rules: [{ ...rule, claims: {} }] }] },
      "any token",
    ],
    [
      "a claim that is no text",
      { oidc: [{ ...oidc, rules: [{ ...rule, claims: { a: 1 } }] }] },
      "claims.a",
    ],
    [
      "a claim in a namespace of a token that has none",
      { tokens: [{ ...token, namespaces: ["acme-{ref}"] }] },
      "namespaces.0: it is not a namespace",
    ],
    [
      "a namespace that a claim makes too long",
      { oidc: [{ ...oidc, rules: [{ ...rule, namespaces: [`${"x".repeat(90)}{ref}`] }] }] },
      "namespaces.0: it is not a namespace",
    ],
    ["broken YAML", "tokens: [", "cannot use server.yaml"],
    ["a field twice", "tokens: []\ntokens: []\n", "cannot use server.yaml"],
  ])("refuses %s", (_what, value, message) => {
    expect(problemOf(value)).toMatchObject({
      code: "SERVER_CONFIG_INVALID",
      message: expect.stringContaining(message),
      location: { file: "server.yaml", line: expect.any(Number) },
    });
  });
});
