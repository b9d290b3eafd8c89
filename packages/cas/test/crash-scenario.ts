import { createFileIndex } from "@cuenv/digest";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { captureOutputs } from "../src/capture-outputs.ts";
import { createDiskBlobStore } from "../src/disk-blob-store.ts";
import { evict } from "../src/evict.ts";
import type { OutputEntry } from "../src/output-entry.ts";
import { restoreOutputs } from "../src/restore-outputs.ts";
import { openEntryStore, references } from "./entries.ts";

/** What a build does to a cache and a workspace, in four steps; it is killed in one of them, and run again. */
const base = process.env["BASE"] ?? "";
const root = `${base}/workspace`;
const cache = openEntryStore(`${base}/cache`);
const store = createDiskBlobStore({ folder: cache.folder, digestFunction: "sha256" });
const index = createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });

function build(version: string): void {
  rmSync(`${root}/dist`, { recursive: true, force: true });
  mkdirSync(`${root}/dist/sub`, { recursive: true });
  for (const name of ["a", "sub/b", `only-${version}`])
    writeFileSync(`${root}/dist/${name}`, contentOf(version, name));
  writeFileSync(`${root}/dist/large`, contentOf(version, "large").repeat(200_000));
  index.invalidate("");
}

function contentOf(version: string, name: string): string {
  return `${version} of ${name}\n`;
}

async function capture(name: string): Promise<readonly OutputEntry[]> {
  const { entries } = await captureOutputs({
    index,
    projectDirectory: "",
    outputs: ["dist"],
    store,
  });
  const contents = entries.flatMap(({ kind, path }) =>
    kind === "file" ? [readFileSync(`${root}/${path}`, "utf8")] : [],
  );
  await cache.put(name, contents);
  return entries;
}

async function restore(entries: readonly OutputEntry[]): Promise<void> {
  index.invalidate("");
  const { temporaryDirectory } = cache.folder;
  const result = await restoreOutputs({
    index,
    projectDirectory: "",
    outputs: ["dist"],
    entries,
    store,
    temporaryDirectory,
  });
  if (result.kind === "miss") throw new Error(result.detail, { cause: result.cause });
}

build("one");
const one = await capture("one");
build("two");
const two = await capture("two");
await restore(one);
rmSync(`${root}/dist`, { recursive: true });
await restore(two);
await evict({
  folder: cache.folder,
  references,
  policy: "LRU",
  limits: { maxBytes: 5_000_000, maxAgeMs: undefined },
});
cache.folder.saveUses();
