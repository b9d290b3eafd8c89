import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, startServer } from "../../test/running-server.ts";

// As ccache 4.7.5 sent them.
const key = "d0f4bl3kmc5q8t6tdq2h0i2n4vkqnbgc0";
const hex = "d07965a8f6c98b4b9d3b3a8a0f2e7c1a5b3c4d5ed07965a8f6c98b4b9d3b3a8a";

describe("/ccache", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  it("has one artifact for a key in the layouts flat and subdirs", async () => {
    await server.ask(`/ccache/${key}`, { method: "PUT", body: "flat" });
    const subdirs = `/ccache/${key.slice(0, 2)}/${key.slice(2)}`;
    expect((await server.ask(subdirs)).body.toString()).toBe("flat");
    await server.ask(subdirs, { method: "PUT", body: "subdirs" });
    expect((await server.ask(`/ccache/${key}`)).body.toString()).toBe("subdirs");
    expect((await server.ask(`/ccache/${key.slice(0, 3)}/${key.slice(3)}`)).status).toBe(404);
  });

  it("takes bytes that are no ActionResult in the layout bazel, and keeps them from subdirs", async () => {
    const path = `/ccache/ac/${hex}`;
    expect((await server.ask(path, { method: "PUT", body: "ccache's" })).status).toBe(201);
    expect((await server.ask(path)).body.toString()).toBe("ccache's");
    expect((await server.ask(`/ccache/ac${hex}`)).status).toBe(404);
    expect((await server.ask(`/ccache/ac/${hex.slice(0, 31)}`)).status).toBe(404);
    expect((await server.ask(`/ac/${hex}`)).status).toBe(404);
  });
});
