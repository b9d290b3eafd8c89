import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashBytes } from "@cuenv/digest";
import { ContentAddressableStorage as Cas } from "@cuenv/reapi/messages";
import { afterEach, expect, it, vi } from "vitest";
import { openGrpcClient } from "../../test/grpc-client.ts";
import { createOpenPolicy } from "../access-policy.ts";
import { createCacheServer } from "../cache-server.ts";
import { createReapiServer } from "./create-reapi-server.ts";
import { presentMs } from "./presence-memory.ts";

const root = join(mkdtempSync(join(tmpdir(), "cuenv-clock-")), "cache");
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(join(root, ".."), { recursive: true, force: true });
});

it("does not believe for an hour what was found before the clock was set back by one", async () => {
  const server = createCacheServer({
    root,
    digestFunction: "sha256",
    durability: "relaxed",
    limits: { maxBytes: undefined, maxAgeMs: undefined },
    evictionPolicy: "LRU",
    policy: createOpenPolicy(),
    createGrpc: createReapiServer,
  });
  const { port = 0 } = (await server.grpc?.listen({ host: "127.0.0.1", port: 0 })) ?? {};
  await server.listen({ host: "127.0.0.1", port: 0 });
  const client = openGrpcClient(`127.0.0.1:${port}`, { token: "any" });
  try {
    const data = Buffer.from("content");
    const { hash, sizeBytes } = hashBytes("sha256", data);
    const digest = { hash, sizeBytes: BigInt(sizeBytes) };
    await client.call(Cas.method.batchUpdateBlobs, { requests: [{ digest, data }] });
    const missing = async (): Promise<number> =>
      (await client.call(Cas.method.findMissingBlobs, { blobDigests: [digest] })).missingBlobDigests
        .length;
    expect(await missing()).toBe(0);
    const blobs = join(root, "v1", "cas", "sha256");
    for (const name of readdirSync(blobs)) rmSync(join(blobs, name), { recursive: true });
    const [steady, wall] = [performance.now() + presentMs + 1000, Date.now() - 3_600_000];
    vi.spyOn(performance, "now").mockImplementation(() => steady);
    vi.spyOn(Date, "now").mockImplementation(() => wall);
    expect(await missing()).toBe(1);
  } finally {
    vi.restoreAllMocks();
    client.close();
    await server.close();
  }
});
