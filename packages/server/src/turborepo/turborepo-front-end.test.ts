import { createHmac, randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startServer, type RunningServer, token as known } from "../../test/running-server.ts";
import { hashToken } from "../access-policy.ts";

const hash = "c13082a5f3e03b6b";
const forbidden = { error: { code: "forbidden", message: expect.any(String) } };

function artifact(name: string, query = "?slug=acme"): string {
  return `/v8/artifacts/${name}${query}`;
}

describe("Turborepo's protocol (reference/turbo.md 1.2)", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  it("row 1: is enabled for who is known, and says so to nobody else", async () => {
    expect((await server.ask("/v8/artifacts/status")).json()).toEqual({ status: "enabled" });
    for (const other of [undefined, "wrong", ""]) {
      const refused = await server.ask("/v8/artifacts/status", { token: other });
      expect(refused.status).toBe(403);
      expect(refused.json()).toEqual(forbidden);
    }
  });

  it("rows 2 and 3: gives back what was put, with duration, tag, commit and dirty hash", async () => {
    const body = randomBytes(100_000);
    const headers = {
      "x-artifact-duration": "1234",
      "x-artifact-tag": "c2lnbmF0dXJl",
      "x-artifact-sha": "0123456789abcdef0123456789abcdef01234567",
      "x-artifact-dirty-hash": "f".repeat(64),
    };
    const client = { "x-artifact-client-ci": "GITHUB_ACTIONS" };
    const put = await server.ask(artifact("full"), {
      method: "PUT",
      body,
      headers: { ...headers, ...client },
    });
    expect(put.status).toBe(202);
    const got = await server.ask(artifact("full"));
    expect(got.status).toBe(200);
    expect(got.body.equals(body)).toBe(true);
    expect(got.headers).toMatchObject({ ...headers, "content-length": "100000" });
    const head = await server.ask(artifact("full"), { method: "HEAD" });
    expect(head).toMatchObject({ status: 200, headers: { "content-length": "100000" } });
    expect(head.body).toHaveLength(0);
  });

  it("row 2: misses what was never put, in a team of its own for each name of one", async () => {
    await server.ask(artifact("teams", "?slug=acme"), { method: "PUT", body: "acme's" });
    for (const [query, status] of [
      ["?slug=acme", 200],
      ["?teamId=team_acme", 200],
      ["?teamId=team_acme&slug=acme", 200],
      ["?slug=umbrella", 404],
      ["?teamId=team_umbrella&slug=acme", 404],
      ["", 404],
    ] as const)
      expect((await server.ask(artifact("teams", query))).status, query).toBe(status);
    expect((await server.ask(artifact("nowhere"))).json()).toMatchObject({
      error: { code: "not_found" },
    });
  });

  it("rows 2 and 3: works below a path prefix, and with doubled slashes", async () => {
    await server.ask(`//v8/artifacts/${hash}?slug=acme`, { method: "PUT", body: "doubled" });
    for (const path of [`/v8/artifacts/${hash}`, `/pre/fix//v8/artifacts/${hash}`])
      expect((await server.ask(`${path}?slug=acme`)).body.toString(), path).toBe("doubled");
  });

  it("row 4: takes events, and counts them", async () => {
    const event = { sessionId: "s", hash, duration: 10 };
    const events = [
      { ...event, source: "LOCAL", event: "HIT" },
      { ...event, source: "REMOTE", event: "MISS" },
    ];
    const body = JSON.stringify(events);
    expect((await server.ask("/v8/artifacts/events", { method: "POST", body })).status).toBe(200);
    const metrics = (await server.ask("/metrics", { token: undefined })).body.toString();
    expect(metrics).toContain(
      'cuenv_server_client_events_total{outcome="hit",protocol="turborepo",source="local"} 1',
    );
  });

  it("row 5: tells which of many hashes are there, with size, duration and tag", async () => {
    await server.ask(artifact("there"), {
      method: "PUT",
      body: "12345",
      headers: { "x-artifact-duration": "7", "x-artifact-tag": "dGFn" },
    });
    const body = JSON.stringify({ hashes: ["there", "__proto__", "missing"] });
    const answer = await server.ask("/v8/artifacts?slug=acme", { method: "POST", body });
    expect(answer.body.toString()).toBe(
      '{"there":{"size":5,"taskDurationMs":7,"tag":"dGFn"},"__proto__":null,"missing":null}',
    );
  });

  it("row 5: looks for several at once, and not for all", async () => {
    let running = 0;
    let most = 0;
    const slow = await startServer({
      wrapBlobs: (blobs) => ({
        ...blobs,
        async missing(...args) {
          running += 1;
          most = Math.max(most, running);
          await new Promise((done) => setTimeout(done, 1));
          running -= 1;
          return blobs.missing(...args);
        },
      }),
    });
    const hashes = Array.from({ length: 40 }, (_, index) => `hash${index}`);
    for (const name of hashes) await slow.ask(artifact(name), { method: "PUT", body: "x" });
    most = 0;
    const body = JSON.stringify({ hashes });
    const answer = await slow.ask("/v8/artifacts?slug=acme", { method: "POST", body });
    await slow.stop();
    const one = { size: 1, taskDurationMs: 0 };
    expect(answer.json()).toEqual(Object.fromEntries(hashes.map((name) => [name, one])));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(16);
  });

  it("row 6 and 1.4: lets a preflight's token go along with what follows", async () => {
    for (const path of [artifact(hash), "/v8/artifacts/events", "/v8/artifacts"]) {
      const answer = await server.ask(path, { method: "OPTIONS", token: undefined });
      expect(answer.status).toBe(200);
      const allowed = String(answer.headers["access-control-allow-headers"]).split(", ");
      expect(allowed).toEqual(expect.arrayContaining(["Authorization", "x-artifact-tag"]));
      expect(String(answer.headers["access-control-allow-methods"])).toContain("PUT");
      expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
    }
  });

  it("overwrites: the last complete upload wins, with its own headers", async () => {
    const put = (body: string, headers: Record<string, string>) =>
      server.ask(artifact("again"), { method: "PUT", body, headers });
    await put("first", { "x-artifact-tag": "Zmlyc3Q=", "x-artifact-duration": "1" });
    await put("second, longer", { "x-artifact-duration": "2" });
    const got = await server.ask(artifact("again"));
    expect(got.body.toString()).toBe("second, longer");
    expect(got.headers["x-artifact-duration"]).toBe("2");
    expect(got.headers["x-artifact-tag"]).toBeUndefined();
  });

  it.each(["", "/pre/fix", "/"])("1.5: answers login, link and logout below %j", async (prefix) => {
    const page = `${prefix}/turborepo/token?redirect_uri=http%3A%2F%2F127.0.0.1%3A9789&state=a%26b`;
    const form = await server.ask(page, { token: undefined });
    expect(form.status).toBe(200);
    expect(form.body.toString()).toContain('<form method="post">');
    expect(form.headers["content-security-policy"]).toMatch(
      /form-action 'self' http:\/\/127\.0\.0\.1:9789$/,
    );
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const submit = (path: string, token: string) =>
      server.ask(path, {
        method: "POST",
        token: undefined,
        headers: type,
        body: String(new URLSearchParams({ token })),
      });
    const sent = await submit(page, ` ${known}\n`);
    expect(sent.status).toBe(303);
    expect(sent.headers["location"]).toBe(`http://127.0.0.1:9789/?state=a%26b&token=${known}`);
    for (const token of ["wrong", ""]) {
      const refused = await submit(page, token);
      expect(refused.status).toBe(403);
      expect(refused.headers["location"]).toBeUndefined();
      expect(refused.body.toString()).toContain("This token is not known here.");
      expect(refused.body.toString()).toContain('<form method="post">');
    }
    const ssoPage = `${prefix}/api/auth/sso?teamId=acme&mode=login&next=http%3A%2F%2F127.0.0.1%3A9789&state=s`;
    expect((await server.ask(ssoPage, { token: undefined })).status).toBe(200);
    expect((await submit(ssoPage, known)).headers["location"]).toBe(
      `http://127.0.0.1:9789/?state=s&token=${known}`,
    );
    expect((await submit(`${prefix}/api/auth/sso?next=http://evil.example`, "x")).status).toBe(400);
    expect((await server.ask(`${prefix}/api/auth/sso?next=http://evil.example`)).status).toBe(400);
    for (const elsewhere of ["https://evil.example", "http://evil.example", "javascript:alert(1)"])
      expect(
        (
          await server.ask(
            `${prefix}/turborepo/token?redirect_uri=${encodeURIComponent(elsewhere)}`,
          )
        ).status,
      ).toBe(400);
    const ask = async (path: string) => (await server.ask(prefix + path)).json();
    expect(await ask("/v2/user")).toMatchObject({ user: { id: "everything" } });
    expect((await server.ask(`${prefix}/v2/user`, { token: "wrong" })).status).toBe(403);
    const team = { id: "team_default", slug: "default" };
    expect(await ask("/v2/teams?limit=100")).toMatchObject({ teams: [team] });
    expect(await ask("/v2/teams/default")).toMatchObject(team);
    expect(await ask("/v5/user/tokens/current")).toMatchObject({ token: { id: "everything" } });
    const own = `${prefix}/v3/user/tokens/current`;
    expect((await server.ask(own, { method: "DELETE" })).status).toBe(200);
  });
});

describe("who may what", () => {
  let server: RunningServer;
  const grant = (name: string, namespaces: "*" | string[], scopes: ("read" | "write")[]) => ({
    name,
    sha256: hashToken(name),
    namespaces,
    scopes,
  });
  beforeAll(async () => {
    server = await startServer({
      access: {
        grants: [
          grant("both", ["acme"], ["read", "write"]),
          grant("reader", ["acme"], ["read"]),
          grant("writer", ["acme"], ["write"]),
          grant("stranger", ["umbrella"], ["read", "write"]),
          { ...grant("pull-request", ["acme-pr-1"], ["read", "write"]), readsThrough: ["acme"] },
        ],
      },
    });
    await server.ask(artifact(hash), { method: "PUT", body: "acme's", token: "both" });
  });
  afterAll(() => server.stop());

  it("is said by the token, for reading and writing each", async () => {
    const table = {
      both: [200, 202],
      reader: [200, 403],
      // Of a read that is refused the client would conclude that it may not write either.
      writer: [404, 202],
      stranger: [403, 403],
      unknown: [403, 403],
    };
    for (const [name, [read, write]] of Object.entries(table)) {
      const got = await server.ask(artifact(hash), { token: name });
      expect(got.status, `${name} reads`).toBe(read);
      const put = await server.ask(artifact("new"), { token: name, method: "PUT", body: "x" });
      expect(put.status, `${name} writes`).toBe(write);
      for (const answer of [got, put].filter(({ status }) => status === 403))
        expect(answer.json()).toEqual(forbidden);
    }
  });

  it("does not depend on how a team that is not the token's is named beside it", async () => {
    for (const query of ["?teamId=team_other&slug=acme", "?teamId=team_acme&slug=other", ""])
      for (const name of ["reader", "pull-request"])
        expect(
          (await server.ask(artifact(hash, query), { token: name })).status,
          `${name} ${query}`,
        ).toBe(200);
    expect((await server.ask(artifact(hash, "?slug=umbrella"), { token: "reader" })).status).toBe(
      403,
    );
  });

  it("takes the token as the password of Basic, too", async () => {
    const basic = Buffer.from("anybody:reader").toString("base64");
    const headers = { authorization: `Basic ${basic}` };
    expect((await server.ask(artifact(hash), { token: undefined, headers })).status).toBe(200);
  });

  it("a pull request reads what main has and writes its own, under one name of the team; main reads nothing of it", async () => {
    const pr = "pull-request";
    expect((await server.ask(artifact(hash), { token: pr })).body.toString()).toBe("acme's");
    const put = (name: string) =>
      server.ask(artifact(name), { token: pr, method: "PUT", body: "poison" });
    expect((await put("only-pr")).status).toBe(202);
    expect((await put(hash)).status).toBe(202);
    expect((await server.ask(artifact("only-pr"), { token: pr })).body.toString()).toBe("poison");
    expect((await server.ask(artifact("only-pr"), { token: "both" })).status).toBe(404);
    expect((await server.ask(artifact(hash), { token: "both" })).body.toString()).toBe("acme's");
    expect((await server.ask(artifact(hash, "?slug=umbrella"), { token: pr })).status).toBe(403);
  });

  it("batch queries tell nothing of other teams", async () => {
    const body = JSON.stringify({ hashes: [hash] });
    const ask = (name: string, query: string) =>
      server.ask(`/v8/artifacts${query}`, { method: "POST", body, token: name });
    expect((await ask("stranger", "?slug=acme")).status).toBe(403);
    expect((await ask("stranger", "?slug=umbrella")).json()).toEqual({ [hash]: null });
    expect((await ask("writer", "?slug=acme")).json()).toEqual({ [hash]: null });
  });
});

describe("signatures", () => {
  const key = "a key of at least thirty-two bytes, for teams";
  let server: RunningServer;
  afterEach(() => server.stop());

  const lengthOf = (text: string | Buffer): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
    return bytes;
  };
  /** As turbo makes it (reference/turbo.md 2), written down a second time. */
  const versionTwo = (team: string, body: Buffer): string => {
    const parts = ["artifact-signature:v2", hash, team, body];
    const message = Buffer.concat(parts.flatMap((part) => [lengthOf(part), Buffer.from(part)]));
    return createHmac("sha256", key).update(message).digest("base64");
  };
  const versionOne = (team: string, body: Buffer): string =>
    createHmac("sha256", key).update(hash).update(team).update(body).digest("base64");

  it("are checked where the team's key is known: either version, and nobody else's", async () => {
    server = await startServer({
      tags: new Map([["acme", { key, required: true }]]),
    });
    const body = randomBytes(200_000);
    const put = (tag: string | undefined, query: string) =>
      server.ask(artifact(hash, query), {
        method: "PUT",
        body,
        headers: tag === undefined ? {} : { "x-artifact-tag": tag },
      });
    expect((await put(versionTwo("team_acme", body), "?teamId=team_acme")).status).toBe(202);
    expect((await put(versionTwo("", body), "?slug=acme")).status).toBe(202);
    expect((await put(versionOne("team_acme", body), "?teamId=team_acme")).status).toBe(202);
    expect((await put(versionTwo("team_acme", body), "?slug=acme")).status).toBe(403);
    expect((await put(versionTwo("", Buffer.from("other")), "?slug=acme")).status).toBe(403);
    expect((await put(undefined, "?slug=acme")).json()).toEqual(forbidden);
    expect((await put(undefined, "?slug=umbrella")).status).toBe(202);
  });

  it("are taken and given as they are where no key is known, beside artifacts without", async () => {
    server = await startServer();
    const headers = { "x-artifact-tag": "bm90IGEgdGFn" };
    await server.ask(artifact("signed"), { method: "PUT", body: "1", headers });
    await server.ask(artifact("unsigned"), { method: "PUT", body: "2" });
    expect((await server.ask(artifact("signed"))).headers["x-artifact-tag"]).toBe("bm90IGEgdGFn");
    expect((await server.ask(artifact("unsigned"))).status).toBe(200);
  });
});
