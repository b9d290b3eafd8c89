import { createDiskBlobStore, openCacheFolder } from "@cuenv/cas";
import { hashText } from "@cuenv/digest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createActionCache } from "./action-cache.ts";
import { createDiskActionStore } from "./disk-action-store.ts";
import { makeResult } from "../test/result.ts";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "cuenv-ac-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function open() {
  const folder = openCacheFolder({ root: `${base}/cache` });
  const actions = createDiskActionStore({ folder, digestFunction: "sha256" });
  const blobs = createDiskBlobStore({ folder, digestFunction: "sha256" });
  return createActionCache({ actions, blobs, namespace: "default" });
}

describe("the action cache", () => {
  it("row 1: gives back in another opening what was put", async () => {
    const result = makeResult();
    await open().put(result);
    const found = await open().get(result.key);
    expect(found).toMatchObject({ kind: "hit", result });
  });

  it("misses what was never put", async () => {
    expect(await open().get(hashText("sha256", "other"))).toMatchObject({
      kind: "miss",
      reason: "absent",
    });
  });
});
