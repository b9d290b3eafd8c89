import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAccessPolicy, createCacheServer, hashToken } from "@cuenv/server";
import { createReapiServer } from "@cuenv/server/grpc";
import { describe, expect, it } from "vitest";
import { makeCertificates } from "../test/certificates.ts";
import { cleanups, digestOf, failureOf, open } from "../test/open-cache.ts";

describe("TLS", () => {
  it("is refused by who does not know the authority, and by name of host and address alike", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cuenv-remote-tls-"));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const { ca, of } = await makeCertificates(["server", "client"]);
    const server = createCacheServer({
      root: join(folder, "cache"),
      digestFunction: "sha256",
      durability: "relaxed",
      limits: { maxBytes: undefined, maxAgeMs: undefined },
      evictionPolicy: "LRU",
      policy: createAccessPolicy({
        grants: [{ name: "t", sha256: hashToken("t"), namespaces: "*", scopes: ["read", "write"] }],
        certificates: [{ commonName: "client", name: "client", namespaces: "*", scopes: ["read"] }],
      }),
      tls: { ...of("server"), ca },
      createGrpc: createReapiServer,
    });
    const { port = 0 } = (await server.grpc?.listen({ host: "127.0.0.1", port: 0 })) ?? {};
    await server.listen({ host: "127.0.0.1", port: 0 });
    cleanups.push(() => server.close());
    const ask = (host: string, tls: object) => {
      const cache = open("", {
        endpoint: `grpcs://${host}:${port}`,
        tls,
        token: undefined,
        timeoutMs: 3_000,
      });
      return failureOf(() => cache.blobs.missing([digestOf(small)]));
    };
    const small = Buffer.from("x");
    const mutual = { ca, ...of("client") };
    expect(await ask("localhost", mutual)).toBe("no failure");
    expect(await ask("127.0.0.1", mutual)).toBe("no failure");
    expect(await ask("127.0.0.1", of("client"))).toContain("UNAVAILABLE");
    expect(await ask("127.0.0.1", { ca })).toContain("UNAVAILABLE");
  });

  it("is not left out where certificates were given: the token would be sent in the clear", () => {
    const endpoint = "grpc://cache.example.com:80";
    for (const tls of [{ ca: Buffer.from("x") }, { cert: Buffer.from("x") }]) {
      const error: unknown = (() => {
        try {
          return open("", { endpoint, tls, token: "secret" });
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(error).toMatchObject({ code: "CONFIG_VALUE", field: "remoteCache.endpoint" });
    }
    expect(() => open("", { endpoint, tls: {} })).not.toThrow();
  });
});
