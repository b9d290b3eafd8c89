import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { entryPath, openCacheFolder } from "@cuenv/cas";
import { hashText } from "@cuenv/digest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDiskActionStore } from "./disk-action-store.ts";

let root: string;
beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), "cuenv-entries-")), "cache");
});
afterEach(() => rmSync(dirname(root), { recursive: true, force: true }));

describe("an entry that is to be created", () => {
  it.each([
    ["a folder", (path: string) => mkdirSync(path)],
    ["a FIFO", (path: string) => execFileSync("mkfifo", [path])],
    ["a link", (path: string) => symlinkSync("/nowhere", path)],
  ])("gets its place where %s lies, once", async (_, occupy) => {
    const folder = openCacheFolder({ root });
    const store = createDiskActionStore({ folder, digestFunction: "sha256" });
    const key = { namespace: "main", digest: hashText("sha256", "action") };
    const path = entryPath(root, "sha256", key.namespace, key.digest.hash);
    mkdirSync(dirname(path), { recursive: true });
    occupy(path);
    expect(await store.create(key, Buffer.from("first"))).toBe(true);
    expect(await store.create(key, Buffer.from("second"))).toBe(false);
    expect(Buffer.from((await store.get(key)) ?? []).toString()).toBe("first");
    expect(readdirSync(folder.layout.quarantine)).toHaveLength(1);
  });
});
