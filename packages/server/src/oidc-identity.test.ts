import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isNamespace } from "@cuenv/action-cache";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOidcIdentity, type IdentifyOidc } from "./oidc-identity.ts";

let server: Server;
let issuer: string;
let keys: { readonly publicKey: CryptoKey; readonly privateKey: CryptoKey };
let others: typeof keys;
let isDown = false;
let asked = 0;

beforeAll(async () => {
  keys = await generateKeyPair("RS256", { extractable: true });
  others = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  server = createServer((request, response) => {
    asked += 1;
    if (isDown) return void response.writeHead(503).end();
    const isKeys = request.url === "/keys";
    response.end(JSON.stringify(isKeys ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/keys` }));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const main = { repository: "acme/app", ref: "refs/heads/main" };
let identify: IdentifyOidc;
let troubles: string[];
let clockMs = 0;
beforeEach(() => {
  isDown = false;
  asked = 0;
  troubles = [];
  identify = createOidcIdentity({
    issuers: [
      {
        issuer,
        audience: "cuenv",
        rules: [
          { claims: main, namespaces: ["acme"], scopes: ["read", "write"] },
          {
            claims: { repository: "acme/*", ref: "refs/pull/*/merge" },
            namespaces: ["acme-pr"],
            scopes: ["read", "write"],
            readsThrough: ["acme"],
          },
        ],
      },
    ],
    onTrouble: (message) => troubles.push(message),
    now: () => clockMs,
  });
});

interface Made {
  readonly audience?: string;
  readonly expires?: string | number;
  readonly by?: CryptoKey;
  readonly from?: string;
}

function token(claims: Record<string, unknown>, made: Made = {}): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "RS256", kid: "k1" })
    .setIssuer(made.from ?? issuer)
    .setSubject("repo:acme/app")
    .setAudience(made.audience ?? "cuenv")
    .setIssuedAt()
    .setExpirationTime(made.expires ?? "5m")
    .sign(made.by ?? keys.privateKey);
}

describe("a token of a CI system", () => {
  it("may do what the first rule says that fits its claims", async () => {
    expect(await identify(await token(main))).toEqual({
      name: "oidc:repo:acme/app",
      namespaces: ["acme"],
      scopes: ["read", "write"],
      readsThrough: undefined,
    });
    const pull = { repository: "acme/app", ref: "refs/pull/7/merge" };
    expect(await identify(await token(pull))).toMatchObject({
      namespaces: ["acme-pr"],
      readsThrough: ["acme"],
    });
    expect(asked, "the issuer is asked once").toBe(2);
  });

  it("has a space of its own for each value of a claim that its namespace names", async () => {
    const rules = [
      {
        claims: {
          project_path: "acme/app",
          ref: "main",
          ref_type: "branch",
          ref_protected: "true",
        },
        namespaces: ["acme"],
        scopes: ["read", "write"] as const,
      },
      {
        claims: { project_path: "acme/app" },
        namespaces: ["acme-{ref}"],
        scopes: ["read", "write"] as const,
        readsThrough: ["acme"],
      },
    ];
    const gitlab = createOidcIdentity({ issuers: [{ issuer, audience: "cuenv", rules }] });
    const job = { project_path: "acme/app", ref_type: "branch", ref_protected: "false" };
    const spaceOf = async (ref: unknown, more = {}) =>
      (await gitlab(await token({ ...job, ref, ...more })))?.namespaces;
    expect(await spaceOf("main", { ref_protected: "true" })).toEqual(["acme"]);
    const refs = ["main", "acme", "a/b", "a-b", "A/b", "../acme", "ü", "x".repeat(5000)];
    const spaces = await Promise.all(refs.map((ref) => spaceOf(ref)));
    expect(new Set(spaces.flat()).size).toBe(refs.length);
    for (const space of spaces) {
      expect(space).toEqual([expect.stringMatching(/^acme-[\w.-]*[0-9a-f]{16}$/)]);
      expect(isNamespace(String(space))).toBe(true);
    }
    expect(await spaceOf("a/b")).toEqual(spaces[2]);
    for (const nothing of [undefined, "", 7, ["a"]]) expect(await spaceOf(nothing)).toBeUndefined();
  });

  it.each<[string, Record<string, unknown>]>([
    ["another repository", { ...main, repository: "evil/app" }],
    ["a name that only begins so", { ...main, repository: "acme/app-evil" }],
    ["another branch", { ...main, ref: "refs/heads/main-2" }],
    ["no claim", { repository: "acme/app" }],
    ["a list in the place of a text", { ...main, ref: [main.ref] }],
    ["half a pattern", { repository: "acme/app", ref: "refs/pull/merge" }],
  ])("may do nothing with %s", async (_what, claims) => {
    expect(await identify(await token(claims))).toBeUndefined();
  });

  it("is none when it was made for another service, by another key, or is too old", async () => {
    const bad = [
      await token(main, { audience: "another" }),
      await token(main, { by: others.privateKey }),
      await token(main, { expires: Math.floor(Date.now() / 1000) - 3600 }),
      await token(main, { from: "https://elsewhere.example" }),
      new UnsecuredJWT(main)
        .setIssuer(issuer)
        .setAudience("cuenv")
        .setExpirationTime("5m")
        .encode(),
      "no token",
      "a.b.c",
      `${await token(main)}x`,
      "x".repeat(20_000),
    ];
    for (const text of bad) expect(await identify(text), text.slice(0, 60)).toBeUndefined();
    for (const line of troubles) expect(line).not.toMatch(/eyJ/);
  });

  it("is none when its secret is the issuer's public key", async () => {
    const secret = new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey)));
    const forged = await new SignJWT(main)
      .setProtectedHeader({ alg: "HS256", kid: "k1" })
      .setIssuer(issuer)
      .setSubject("x")
      .setAudience("cuenv")
      .setExpirationTime("5m")
      .sign(secret);
    expect(await identify(forged)).toBeUndefined();
  });

  it("is told of once a minute for each cause, however many there are, and not in its own words", async () => {
    const claims = Buffer.from(JSON.stringify({ ...main, iss: issuer })).toString("base64url");
    const withHeader = (header: object): string =>
      `${Buffer.from(JSON.stringify(header)).toString("base64url")}.${claims}.eA`;
    const present = async (): Promise<void> => {
      for (let index = 0; index < 20; index += 1) {
        await identify(withHeader({ alg: "none" }));
        await identify(withHeader({ alg: "RS256", crit: [`${index}\nwarning: forged\u001b[2J`] }));
        await identify(await token(main, { audience: "another" }));
      }
    };
    await present();
    expect(troubles).toHaveLength(3);
    expect(troubles.join("")).toMatch(/^[\x20-\x7e]+$/);
    expect(troubles.join("")).not.toContain("forged");
    clockMs += 60_000;
    await present();
    expect(troubles).toHaveLength(6);
  });

  it("is none of an issuer whose keys are without end, of which no more is read than they may have", async () => {
    const endless = createServer((request, response) => {
      if (request.url === "/keys") response.write(" ".repeat(2 * 1024 * 1024));
      else response.end(JSON.stringify({ jwks_uri: `${from}/keys` }));
    });
    await new Promise<void>((resolve) => void endless.listen(0, "127.0.0.1", resolve));
    const from = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`;
    const rules = [{ claims: main, namespaces: "*", scopes: ["read"] }] as const;
    const onTrouble = (message: string): void => void troubles.push(message);
    const issuers = [{ issuer: from, audience: "cuenv", rules }];
    const asking = createOidcIdentity({ issuers, onTrouble });
    expect(await asking(await token(main, { from }))).toBeUndefined();
    expect(troubles.join()).toContain("/keys is too long");
    endless.closeAllConnections();
    endless.close();
  });

  it("is none while the issuer cannot be asked, and is taken when it can be again", async () => {
    isDown = true;
    expect(await identify(await token(main))).toBeUndefined();
    expect(troubles.join()).toContain("answers 503");
    isDown = false;
    expect(await identify(await token(main))).toMatchObject({ namespaces: ["acme"] });
  });
});
