import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDiskActionStore, encodeArtifactRecord } from "@cuenv/action-cache";
import { createDiskBlobStore, openCacheFolder } from "@cuenv/cas";
import { hashText } from "@cuenv/digest";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ArtifactRemote } from "./artifact-remote.ts";
import { createArtifactStore } from "./artifact-store.ts";

const name = { protocol: "turborepo", namespace: "acme", name: "c13082a5f3e03b6b" };
const text = "what another machine made";
const blob = hashText("sha256", text);
const record = { ...name, headers: {}, writer: "ci", blob, storedAt: "2026-11-22T10:00:00.000Z" };

let root: string;
beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), "cuenv-remote-")), "cache");
});
afterEach(() => rmSync(join(root, ".."), { recursive: true, force: true }));

/** Over a remote cache that has the entry, and the bytes or not. */
async function open({ hasBytes = true, maxBytes }: { hasBytes?: boolean; maxBytes?: number } = {}) {
  const stores = { folder: openCacheFolder({ root }), digestFunction: "sha256" } as const;
  const blobs = createDiskBlobStore(stores);
  const entry = await encodeArtifactRecord(record, "sha256");
  const asked: string[] = [];
  const remote: ArtifactRemote = {
    namespace: "shared",
    lookUp: async () => entry,
    async holds() {
      asked.push("holds");
      return hasBytes;
    },
    async fetch(_, to) {
      asked.push("fetch");
      if (hasBytes) await to.ingest(Buffer.from(text));
      return hasBytes;
    },
    send: () => {},
    remove: async () => {},
    close: async () => {},
  };
  const shared = { remote, to: blobs, keeps: true, maxBytes };
  const artifacts = createArtifactStore({ blobs, actions: createDiskActionStore(stores), shared });
  return { artifacts, asked };
}

it("an artifact of the remote cache is described without its bytes, and found with them", async () => {
  const { artifacts, asked } = await open();
  expect(await artifacts.describe(name)).toEqual(record);
  expect(asked).toEqual(["holds"]);
  expect(await artifacts.find(name)).toEqual(record);
  // From then on it is here.
  expect(await artifacts.describe(name)).toEqual(record);
  expect(asked).toEqual(["holds", "fetch"]);
});

it("what could not be given is not described: bytes that are gone there, or larger than can be held here", async () => {
  const gone = await open({ hasBytes: false });
  expect(await gone.artifacts.describe(name)).toBeUndefined();
  expect(await gone.artifacts.find(name)).toBeUndefined();
  const large = await open({ maxBytes: text.length - 1 });
  expect(await large.artifacts.describe(name)).toBeUndefined();
  expect(large.asked).toEqual([]);
  const fitting = await open({ maxBytes: text.length });
  expect(await fitting.artifacts.describe(name)).toEqual(record);
});
