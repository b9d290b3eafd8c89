import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ask, type RunningServer, startServer } from "../../test/running-server.ts";
import { hashToken } from "../access-policy.ts";

const path = `/pnpm/v8/artifacts/${"0123456789abcdef".repeat(4)}`;
const scopes = ["read", "write"] as const;
const grants = [
  { name: "acme", sha256: hashToken("acme"), namespaces: ["acme"], scopes },
  { name: "all", sha256: hashToken("all"), namespaces: "*", scopes },
  {
    name: "pull-request",
    sha256: hashToken("pull-request"),
    namespaces: ["acme-pr"],
    scopes,
    readsThrough: ["acme"],
  },
] as const;

describe("/pnpm", () => {
  let server: RunningServer;
  const ask = (query: string, token: string, more: Ask = {}) =>
    server.ask(`${path}${query}`, { token, ...more });
  beforeAll(async () => {
    server = await startServer({ access: { grants } });
  });
  afterAll(() => server.stop());

  it("keeps teams apart, as they are named in the query or by the token", async () => {
    await ask("?teamId=acme", "all", { method: "PUT", body: "acme's" });
    await ask("?teamId=other", "all", { method: "PUT", body: "other's" });
    for (const query of ["", "?teamId=acme", "?teamId=team_acme", "?slug=acme"])
      expect((await ask(query, "acme")).body.toString(), query).toBe("acme's");
    expect((await ask("?teamId=other", "acme")).status).toBe(403);
    expect((await ask("?teamId=other", "all")).body.toString()).toBe("other's");
    for (const team of ["..", "a%2fb", "%00", "x".repeat(300)])
      expect((await ask(`?teamId=${team}`, "all")).status, team).toBe(400);
  });

  it("has a pull request that names main's team write its own", async () => {
    await ask("?teamId=acme", "acme", { method: "PUT", body: "main's" });
    await ask("?teamId=acme", "pull-request", { method: "PUT", body: "poison" });
    expect((await ask("?teamId=acme", "acme")).body.toString()).toBe("main's");
    expect((await ask("?teamId=acme", "pull-request")).body.toString()).toBe("poison");
  });

  it("has artifacts of its own, beside Turborepo's of the same hash", async () => {
    await ask("?teamId=acme", "acme", { method: "PUT", body: "pnpm's" });
    const atRoot = path.slice("/pnpm".length);
    const put = { method: "PUT", body: "turbo's", token: "acme" };
    await server.ask(`${atRoot}?teamId=acme`, put);
    expect((await ask("?teamId=acme", "acme")).body.toString()).toBe("pnpm's");
    expect((await server.ask(`${atRoot}?teamId=acme`, { token: "acme" })).body.toString()).toBe(
      "turbo's",
    );
  });
});
