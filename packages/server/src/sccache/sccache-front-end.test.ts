import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  type Ask,
  breakableStore,
  grant,
  type RunningServer,
  startServer,
} from "../../test/running-server.ts";

const key = "0123456789abcdef".repeat(4);
const grants = [grant("main"), grant("reader", { scopes: ["read"] })];

describe("/sccache", () => {
  let server: RunningServer;
  const ask = (path: string, more: Ask = {}) => server.ask(path, { token: "main", ...more });
  beforeAll(async () => {
    server = await startServer({ access: { grants } });
  });
  afterAll(() => server.stop());

  it("answers a start as sccache 0.17 makes it: check file, folder, check file", async () => {
    const check = "/sccache/.sccache_check";
    expect((await ask(check)).status).toBe(404);
    const headers = { depth: "0" };
    const folder = await ask("/sccache/", { method: "PROPFIND", headers });
    expect(folder.status).toBe(207);
    expect(folder.headers["content-type"]).toContain("application/xml");
    expect(folder.body.toString()).toContain("<D:href>/sccache/</D:href>");
    expect(folder.body.toString()).toContain("<D:collection/>");
    expect((await ask("/sccache/", { method: "MKCOL" })).status).toBe(201);
    expect((await ask(check, { method: "PUT", body: "Hello, World!" })).status).toBe(201);
    expect((await ask(check)).body.toString()).toBe("Hello, World!");
  });

  it("has artifacts below any prefix, each its own, and slashes twice", async () => {
    await ask(`/sccache//team/0/1/2/${key}`, { method: "PUT", body: "team's" });
    expect((await ask(`/sccache/team/0/1/2/${key}`)).body.toString()).toBe("team's");
    expect((await ask(`/sccache/0/1/2/${key}`)).status).toBe(404);
    expect((await ask(`/sccache/team/0/1/2`)).status).toBe(404);
    const folder = { method: "PROPFIND" };
    expect((await ask("/sccache/team/0/1/2/", folder)).status).toBe(207);
    expect((await ask(`/sccache/team/0/1/2/${key}`, folder)).status).toBe(404);
  });

  it("names the folder as it was asked for, and nothing in it is XML", async () => {
    const path = "/sccache/a&b";
    expect((await ask(path, { method: "PROPFIND" })).status).toBe(404);
    const query = "/sccache/x?<y>";
    expect((await ask(query, { method: "PROPFIND" })).body.toString()).not.toContain("<y>");
    for (const odd of ["..", "%2e%2e/x", "a%2fb", `${"a/".repeat(20)}x`, "x".repeat(200)]) {
      expect((await ask(`/sccache/${odd}`, { method: "PROPFIND" })).status, odd).toBe(404);
      expect((await ask(`/sccache/${odd}`, { method: "MKCOL" })).status, odd).toBe(404);
    }
  });

  it("lets a token that may only read make no folder and write no check file", async () => {
    const token = "reader";
    expect((await ask("/sccache/", { method: "PROPFIND", token })).status).toBe(207);
    expect((await ask("/sccache/", { method: "MKCOL", token })).status).toBe(403);
    const put = { method: "PUT", body: "x", token };
    expect((await ask("/sccache/.sccache_check", put)).status).toBe(403);
    expect((await ask("/sccache/", { method: "PROPFIND", token: "unknown" })).status).toBe(401);
  });
});

describe("a store that fails under sccache", () => {
  let server: RunningServer;
  afterEach(() => server.stop());

  it("does not end sccache's start: the check file is a miss", async () => {
    const store = breakableStore();
    server = await startServer({ wrapBlobs: store.wrapBlobs });
    const check = "/sccache/.sccache_check";
    const artifact = `/sccache/0/1/2/${key}`;
    for (const path of [check, artifact]) await server.ask(path, { method: "PUT", body: "x" });
    store.isBroken = true;
    expect((await server.ask(check)).status).toBe(404);
    expect((await server.ask(check, { method: "PUT", body: "x" })).status).toBe(503);
    expect((await server.ask(artifact)).status).toBe(503);
    expect(server.troubles).toEqual(["EIO", "EIO", "EIO"]);
  });
});
