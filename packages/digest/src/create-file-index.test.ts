import { lstatSync, type Stats } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileIndex, type FileIndexOptions } from "./create-file-index.ts";
import type { Digest } from "./digest.ts";
import type { FileIndex } from "./file-index.ts";
import { hashText } from "./hasher.ts";

let root: string;
let stateFile: string;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), "file-index-"));
  root = join(folder, "work");
  stateFile = join(folder, "state", "index.bin");
  await mkdir(root);
});

afterEach(() => rm(join(root, ".."), { recursive: true, force: true }));

/** An index of a run that starts long after the files were written, so that no stat is too young. */
function later(options: Partial<FileIndexOptions> = {}): FileIndex {
  return createFileIndex({
    root,
    digestFunction: "sha256",
    stateFile,
    now: () => Date.now() + 60_000,
    ...options,
  });
}

/** As the files would look on a file system that counts whole seconds and never changes ctime: only content differs. */
function coarse(path: string): Stats | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return Object.assign(stat, { mtimeMs: 1_700_000_000_000, ctimeMs: 1_700_000_000_000, ino: 7 });
}

describe("a file index", () => {
  it("hashes content and finds it unchanged in the next process without reading it", async () => {
    await writeFile(join(root, "a"), "one");
    const first = later();
    expect(first.digest("a")).toEqual(hashText("sha256", "one"));
    first.save();
    const before = lstatSync(join(root, "a"));
    // Same stat, other content: only an index that trusts its record can give the old digest.
    const second = later({ lstat: (path) => (path.endsWith("/a") ? before : lstatSync(path)) });
    await writeFile(join(root, "a"), "two");
    expect(second.digest("a")).toEqual(hashText("sha256", "one"));
  });

  it("sees every kind of change in the next process", async () => {
    await writeFile(join(root, "a"), "one");
    await writeFile(join(root, "b"), "two");
    const changes: Record<string, () => Promise<void>> = {
      edited: () => writeFile(join(root, "a"), "ONE"),
      replaced: () => rename(join(root, "b"), join(root, "a")),
      "edited with its mtime put back": async () => {
        const { atime, mtime } = lstatSync(join(root, "a"));
        await writeFile(join(root, "a"), "1ne");
        await utimes(join(root, "a"), atime, mtime);
      },
    };
    for (const [change, apply] of Object.entries(changes)) {
      const before = later();
      before.digest("a");
      before.save();
      await apply();
      const content = await readFile(join(root, "a"), "utf8");
      expect(later().digest("a"), change).toEqual(hashText("sha256", content));
    }
  });

  it("does not trust a record that was made within the clock's grain of the change", async () => {
    await writeFile(join(root, "a"), "one");
    const options = { root, digestFunction: "sha256", stateFile, lstat: coarse } as const;
    const first = createFileIndex({ ...options, now: () => 1_700_000_001_000 });
    first.digest("a");
    first.save();
    await writeFile(join(root, "a"), "two");
    expect(createFileIndex(options).digest("a")).toEqual(hashText("sha256", "two"));
  });

  it("does not record a file whose time lies in the future", async () => {
    await writeFile(join(root, "a"), "one");
    const first = createFileIndex({
      root,
      digestFunction: "sha256",
      stateFile,
      now: () => 1_000,
      lstat: coarse,
    });
    first.digest("a");
    first.save();
    await writeFile(join(root, "a"), "two");
    expect(later({ lstat: coarse }).digest("a")).toEqual(hashText("sha256", "two"));
  });

  it("keeps what it saw until it is told to look again", async () => {
    await mkdir(join(root, "dir"));
    await writeFile(join(root, "dir/a"), "one");
    const index = later();
    index.digest("dir/a");
    expect(index.list("dir")).toHaveLength(1);
    await writeFile(join(root, "dir/a"), "other");
    await writeFile(join(root, "dir/b"), "");
    expect(index.digest("dir/a")).toEqual(hashText("sha256", "one"));
    index.invalidate("dir");
    expect(index.digest("dir/a")).toEqual(hashText("sha256", "other"));
    expect(index.list("dir").map((entry) => entry.name)).toEqual(["a", "b"]);
  });

  it("lists names with kinds in byte order and hashes the listing, alike from disk and from its record", async () => {
    for (const name of ["z", "ä", "\u{1F600}", "\uFFFD", "A"])
      await writeFile(join(root, name), "");
    await mkdir(join(root, "sub"));
    await symlink("z", join(root, "link"));
    const fresh = later();
    const listing = fresh.list("");
    expect(listing.map((entry) => entry.name)).toEqual([
      "A",
      "link",
      "sub",
      "z",
      "ä",
      "\uFFFD",
      "\u{1F600}",
    ]);
    expect(listing.map((entry) => entry.kind)).toEqual([
      "file",
      "symlink",
      "directory",
      "file",
      "file",
      "file",
      "file",
    ]);
    const hash = fresh.listHash("");
    fresh.save();
    const recorded = later();
    expect(recorded.listHash("")).toBe(hash);
    expect(recorded.list("")).toEqual(listing);
    await rm(join(root, "A"));
    expect(later().listHash("")).not.toBe(hash);
    expect(later().list("nowhere")).toEqual([]);
    expect(later().listHash("nowhere")).toBe("");
  });

  it("notices a changed exec bit and a file that became a directory", async () => {
    await writeFile(join(root, "a"), "");
    const first = later();
    first.digest("a");
    expect(first.stat("a")?.executable).toBe(false);
    first.save();
    await chmod(join(root, "a"), 0o755);
    expect(later().stat("a")?.executable).toBe(true);
    await rm(join(root, "a"));
    await mkdir(join(root, "a"));
    expect(later().stat("a")?.kind).toBe("directory");
    expect(later().stat("a/below")).toBeUndefined();
  });

  it("has a file that it must read be taken by somebody else, once, and records what that read", async () => {
    await writeFile(join(root, "a"), "one");
    let taken = 0;
    const take = async (path: string): Promise<Digest> => {
      taken += 1;
      return hashText("sha256", await readFile(path, "utf8"));
    };
    const first = later();
    expect(await first.digestBy("a", take)).toEqual(hashText("sha256", "one"));
    expect(first.digest("a")).toEqual(hashText("sha256", "one"));
    expect(await first.digestBy("a", take)).toEqual(hashText("sha256", "one"));
    first.save();
    expect(await later().digestBy("a", take)).toEqual(hashText("sha256", "one"));
    expect(taken).toBe(1);
  });

  it("has a file taken again that changed meanwhile, and gives up on one that goes on changing", async () => {
    const path = join(root, "a");
    const takeAndChange =
      (changes: string[]) =>
      async (file: string): Promise<Digest> => {
        const text = await readFile(file, "utf8");
        const next = changes.shift();
        if (next !== undefined) await writeFile(file, next);
        return hashText("sha256", text);
      };
    await writeFile(path, "one");
    const index = later();
    expect(await index.digestBy("a", takeAndChange(["three", "seven"]))).toEqual(
      hashText("sha256", "seven"),
    );
    index.invalidate("");
    await writeFile(path, "a");
    await expect(index.digestBy("a", takeAndChange(["bb", "ccc", "dddd"]))).rejects.toMatchObject({
      code: "DIGEST_FILE_CHANGED",
    });
    await expect(index.digestBy("missing", takeAndChange([]))).rejects.toThrow("ENOENT");
  });

  it("remembers a digest it is told for this process only", async () => {
    await writeFile(join(root, "a"), "one");
    const told = later();
    told.remember("a", { hash: "0".repeat(64), sizeBytes: 3 });
    expect(told.digest("a").hash).toBe("0".repeat(64));
    told.save();
    expect(later().digest("a")).toEqual(hashText("sha256", "one"));
  });

  it("keeps what it saw of what was recorded until it is told to look again", async () => {
    await writeFile(join(root, "a"), "one");
    await mkdir(join(root, "folder"));
    await writeFile(join(root, "folder", "b"), "two");
    const read = (index: FileIndex) => [
      index.digest("a"),
      index.list("folder").map(({ name }) => name),
      index.digest("folder/b"),
      index.stat("folder")?.kind,
      index.stat("folder/b")?.sizeBytes,
    ];
    const first = later();
    const before = read(first);
    first.save();
    const index = later();
    expect(read(index)).toEqual(before);
    await writeFile(join(root, "a"), "another");
    await writeFile(join(root, "folder", "b"), "and another");
    await writeFile(join(root, "folder", "c"), "three");
    expect(read(index)).toEqual(before);
    index.invalidate("folder");
    const after = [hashText("sha256", "and another"), "directory", 11];
    expect(read(index)).toEqual([before[0], ["b", "c"], ...after]);
    index.invalidateOne("a");
    expect(read(index)).toEqual([hashText("sha256", "another"), ["b", "c"], ...after]);
    await rm(join(root, "folder"), { recursive: true });
    index.invalidate("");
    expect(index.stat("folder/b")).toBeUndefined();
    expect(index.list("folder")).toEqual([]);
    index.remember("a", { hash: "0".repeat(64), sizeBytes: 7 });
    expect(index.digest("a").hash).toBe("0".repeat(64));
    index.invalidate("");
    expect(index.digest("a")).toEqual(hashText("sha256", "another"));
  });

  it("does not take a folder that cannot be listed for an empty one, nor a file that the system cannot look at for none", async () => {
    // A name that the system finds too long to be opened: as root, nothing else keeps a folder from being listed.
    const locked = "l".repeat(300);
    await mkdir(join(root, "folder"));
    const lstat = (path: string): Stats | undefined => {
      if (path.endsWith("broken")) throw Object.assign(new Error("EIO"), { code: "EIO" });
      return lstatSync(path.endsWith(locked) ? join(root, "folder") : path, {
        throwIfNoEntry: false,
      });
    };
    const index = later({ lstat });
    expect(() => index.list(locked)).toThrow("ENAMETOOLONG");
    expect(() => index.listHash(locked)).toThrow("ENAMETOOLONG");
    expect(() => index.stat("broken")).toThrow("EIO");
    expect(later().stat(locked)).toBeUndefined();
    expect(later().list("folder")).toEqual([]);
  });

  it("gives the target of a link as it is, or refuses it", async () => {
    const bytes = (...codes: number[]) => Buffer.from([...codes]);
    await symlink(bytes(0x61, 0xff), join(root, "a"));
    await symlink("b\uFFFD", join(root, "b"));
    const index = later();
    expect(() => index.readLink("a")).toThrow("is not valid UTF-8");
    expect(index.readLink("b")).toBe("b\uFFFD");
  });

  it("does not write thousands of entries for a few new ones when it is asked not to, nor for what is gone", async () => {
    const names = Array.from({ length: 600 }, (_, number) => `f${number}`);
    for (const name of names) await writeFile(join(root, name), name);
    const first = later();
    for (const name of names) first.digest(name);
    first.save();
    const written = await readFile(stateFile);
    const unchanged = async () => (await readFile(stateFile)).equals(written);
    const change = async (count: number): Promise<FileIndex> => {
      for (const name of names.slice(0, count))
        await writeFile(join(root, name), `${name}, changed`);
      const index = later();
      for (const name of names.slice(0, count)) index.digest(name);
      return index;
    };
    (await change(2)).save(true);
    expect(await unchanged()).toBe(true);
    for (const name of names.slice(0, 100)) await rm(join(root, name));
    const gone = later();
    for (const name of names) gone.stat(name);
    gone.save();
    expect(await unchanged()).toBe(true);
    (await change(3)).save(true);
    expect(await unchanged()).toBe(false);
  });

  it("starts empty from a damaged state, and leaves no temporary file behind", async () => {
    await writeFile(join(root, "a"), "one");
    const first = later();
    first.digest("a");
    first.save();
    const good = await readFile(stateFile);
    for (let position = 0; position < good.length; position += 7) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(position) ^ 0x10, position);
      await writeFile(stateFile, bad);
      expect(later().digest("a"), `flipped at ${position}`).toEqual(hashText("sha256", "one"));
    }
    await writeFile(stateFile, good.subarray(0, good.length - 5));
    const index = later();
    expect(index.digest("a")).toEqual(hashText("sha256", "one"));
    index.save();
    expect(await readdir(join(stateFile, ".."))).toEqual(["index.bin"]);
  });

  it("works without a state that can be written", async () => {
    await writeFile(join(root, "a"), "one");
    await writeFile(join(root, "..", "state"), "a file where the folder should be");
    const index = later();
    expect(index.digest("a")).toEqual(hashText("sha256", "one"));
    index.save();
  });

  it("does not mix digest functions in one state", async () => {
    await writeFile(join(root, "a"), "one");
    const first = later();
    first.digest("a");
    first.save();
    expect(later({ digestFunction: "blake3" }).digest("a").hash).not.toBe(
      hashText("sha256", "one").hash,
    );
  });
});
