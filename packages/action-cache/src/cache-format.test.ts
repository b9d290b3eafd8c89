import { createDiskBlobStore, openCacheFolder } from "@cuenv/cas";
import { evict } from "@cuenv/cas/maintenance";
import { hashText } from "@cuenv/digest";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createActionCache } from "./action-cache.ts";
import { decodeEntry } from "./decode-entry.ts";
import { createDiskActionStore } from "./disk-action-store.ts";
import { encodeEntry, encodePayload } from "./encode-entry.ts";
import { entryReferences } from "./stored-entry.ts";

const document = readFileSync(new URL("../../../docs/cache-format.md", import.meta.url), "utf8");

/** The example of this name, without the line feed before the fence. */
function example(name: string): string {
  const match = new RegExp(`^\`\`\`\\w+ ${name}\\n([^]*?)\\n\`\`\`$`, "m").exec(document);
  expect(match, `docs/cache-format.md has an example "${name}"`).not.toBeNull();
  return match?.[1] ?? "";
}

const asked = {
  digest: hashText("sha256", "an action"),
  namespace: "default",
  digestFunction: "sha256" as const,
};

let root: string;
beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), "cuenv-format-")), "cache");
});
afterEach(() => rmSync(dirname(root), { recursive: true, force: true }));

describe("docs/cache-format.md", () => {
  it("shows where a blob lies", async () => {
    const folder = openCacheFolder({ root });
    await createDiskBlobStore({ folder, digestFunction: "sha256" }).ingest(Buffer.from("hello"));
    expect(readFileSync(join(root, example("blob")), "utf8")).toBe("hello");
  });

  it("shows an entry that is read, and written, byte for byte", () => {
    const decoded = decodeEntry(Buffer.from(example("entry")), asked);
    expect(decoded).toMatchObject({ kind: "entry", signatures: [] });
    const payload = decoded.kind === "entry" ? decoded.payload : new Uint8Array();
    expect(Buffer.from(payload).toString()).toBe(example("payload"));
    expect(Buffer.from(encodeEntry(payload, "sha256")).toString()).toBe(example("entry"));
    expect(decoded.kind === "entry" && Buffer.from(encodePayload(decoded.result)).toString()).toBe(
      example("payload"),
    );
  });

  it("names every field of an entry", () => {
    const fields = Object.keys(JSON.parse(example("payload")) as object);
    for (const field of [...fields, "provenance"])
      expect(document).toMatch(new RegExp(`^\\|.*\`${field}\`.*\\|`, "m"));
  });

  it("shows an entry that is found where it says", async () => {
    const { hash } = asked.digest;
    const path = `${root}/v1/ac/sha256/default/${hash.slice(0, 2)}/${hash}`;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, example("entry"));
    const folder = openCacheFolder({ root });
    const actions = createDiskActionStore({ folder, digestFunction: "sha256" });
    const blobs = createDiskBlobStore({ folder, digestFunction: "sha256" });
    const cache = createActionCache({ actions, blobs, namespace: "default" });
    expect(await cache.get(asked.digest)).toMatchObject({
      kind: "hit",
      result: { durationMs: 1250 },
    });
  });

  it("shows a journal and the index that comes of it", async () => {
    const { hash } = asked.digest;
    const path = `${root}/v1/ac/sha256/default/${hash.slice(0, 2)}/${hash}`;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const entry = example("entry");
    writeFileSync(path, entry);
    writeFileSync(`${root}/v1/journal`, `${example("journal")}\n`);
    const folder = openCacheFolder({ root, now: () => 1_795_370_500_000 });
    await evict({
      folder,
      references: entryReferences,
      policy: "LRU",
      limits: { maxBytes: undefined, maxAgeMs: undefined },
    });
    // The size is that of what is really there: the entry alone.
    const index = example("index").replace(" 6552", ` ${Buffer.byteLength(entry)}`);
    expect(readFileSync(`${root}/v1/index`, "utf8")).toBe(`${index}\n`);
    expect(existsSync(`${root}/v1/journal`)).toBe(false);
  });
});
