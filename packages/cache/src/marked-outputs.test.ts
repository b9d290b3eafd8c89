import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootIdentity, type OutputEntry } from "@cuenv/cas";
import { checksum, createFileIndex, hashText } from "@cuenv/digest";
import { beforeEach, describe, expect, it } from "vitest";
import { base, open, root, run, useEngineFolder } from "../test/engine-rig.ts";
import { type MarkedOutputs, openMarkedOutputs } from "./marked-outputs.ts";

useEngineFolder();

// Large enough to be marked.
beforeEach(() => writeFileSync(join(root, "src/a"), "one ".repeat(10_000)));

const output = (): string => join(root, "out/result");

/** The file of what restores marked; undefined: there is none. */
function memo(): string | undefined {
  const folder = join(base, "cache/v1/workspaces");
  const found = readdirSync(folder, { recursive: true }).find((path) =>
    String(path).endsWith("/marked-outputs.jsonl"),
  );
  return found === undefined ? undefined : join(folder, String(found));
}

async function restoreAll(): Promise<void> {
  await run();
  rmSync(join(root, "out"), { recursive: true });
  expect((await run()).outcome).toMatchObject({ kind: "hit", restoredFiles: 1 });
}

/** A run whose clock stands still: what it has to read is too young to be recorded. */
async function runAtOnce(trust = {}): Promise<Awaited<ReturnType<typeof run>>> {
  const { ctimeMs } = lstatSync(output());
  return await run({ opened: open({}, false, trust, undefined, () => ctimeMs + 5) });
}

const content = (): string => readFileSync(output(), "utf8");

describe("outputs that a restore put in place", () => {
  it("are known to the next run without being read, and are then recorded as all files are", async () => {
    await restoreAll();
    const restored = content();
    expect(memo()).toBeDefined();
    expect((await runAtOnce()).outcome).toMatchObject({ kind: "hit", restoredFiles: 0 });
    expect(content()).toBe(restored);
    const { index } = open().engine;
    const found = index.records
      .saved()
      ?.find("out/result", { kind: "file", hash: hashText("sha256", restored).hash });
    expect(found).toBeDefined();
    // Nobody needs the mark any more.
    expect(
      readFileSync(memo() ?? "", "utf8")
        .trim()
        .split("\n"),
    ).toHaveLength(2);
  });

  it.each<[string, () => Promise<void> | void]>([
    ["edited at once", () => writeFileSync(output(), content().toUpperCase())],
    [
      "edited, with the mtime of before",
      async () => {
        const { mtimeMs } = lstatSync(output());
        await sleep(20);
        writeFileSync(output(), content().toUpperCase());
        utimesSync(output(), mtimeMs / 1000, mtimeMs / 1000);
      },
    ],
    ["removed", () => rmSync(output())],
    [
      "replaced by another one with the mtime of before",
      () => {
        const { mtimeMs } = lstatSync(output());
        writeFileSync(`${output()}.new`, content().toUpperCase());
        utimesSync(`${output()}.new`, mtimeMs / 1000, mtimeMs / 1000);
        renameSync(`${output()}.new`, output());
      },
    ],
  ])("are put right when they were %s", async (_, change) => {
    await restoreAll();
    const restored = content();
    await change();
    expect((await run()).outcome).toMatchObject({ kind: "hit", restoredFiles: 1 });
    expect(content()).toBe(restored);
  });

  it("are not believed to be what somebody else wrote into the memo", async () => {
    for (const mode of ["off", "local"] as const) {
      rmSync(join(base, "cache"), { recursive: true, force: true });
      await run({ trust: { mode } });
      rmSync(join(root, "out"), { recursive: true });
      await run({ trust: { mode } });
      const restored = content();
      await sleep(20);
      writeFileSync(output(), restored.toUpperCase());
      const { mtimeMs, ctimeMs, ino } = lstatSync(output());
      const [, head = "", row = ""] = readFileSync(memo() ?? "", "utf8").split("\n");
      const [place] = row.split("\t");
      // Of the result: the folder, and the file in it.
      const number = 1;
      const body = `${head}\n${place}\t${number},${ino},${mtimeMs},${ctimeMs}`;
      writeFileSync(memo() ?? "", `${hashText("sha256", body).hash}\n${body}`);
      await run({ trust: { mode } });
      // With trust off it works, or this would be no forgery.
      expect([mode, content() === restored]).toEqual([mode, mode === "local"]);
    }
  });

  it("are read as ever when the memo is gone, cut, of another format, or no memo at all", async () => {
    for (const damage of ["", "garbage", "marked 2\n", "\0".repeat(1000)]) {
      await restoreAll();
      const restored = content();
      writeFileSync(memo() ?? "", damage);
      expect((await runAtOnce()).outcome).toMatchObject({ kind: "hit", restoredFiles: 0 });
      expect(content()).toBe(restored);
    }
    await restoreAll();
    rmSync(memo() ?? "");
    expect((await run()).outcome).toMatchObject({ kind: "hit", restoredFiles: 0 });
  });

  it("leave nothing behind in a run that only reads", async () => {
    await run();
    rmSync(join(root, "out"), { recursive: true });
    expect((await run({ opened: open({}, true) })).outcome.kind).toBe("hit");
    expect(existsSync(output())).toBe(true);
    expect(memo()).toBeUndefined();
  });
});

describe("the memo of marks", () => {
  const entries: readonly OutputEntry[] = [
    { kind: "directory", path: "out" },
    { kind: "file", path: "out/result", digest: hashText("sha256", "x"), executable: false },
  ];
  const mark = { mtimeMs: 1_700_000_000_000.437, ctimeMs: 1_700_000_000_003.25, inode: 12 };
  const marks = new Map([["out/result", mark]]);

  function opened(text: string | undefined): MarkedOutputs {
    return openMarkedOutputs(
      () => text,
      () => checksum,
    );
  }

  /** What the index is told of a place. */
  function toldOf(marked: MarkedOutputs, place: string): unknown[] {
    const told: unknown[] = [];
    const index = createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
    mkdirSync(join(root, "out"), { recursive: true });
    marked.tell({ ...index, remember: (...what) => void told.push(what) }, place, entries);
    return told;
  }

  it("gives each file the mark that it was noted with", () => {
    const first = opened(undefined);
    first.note("one", entries, marks);
    const next = opened(first.serialize());
    expect(toldOf(next, "another")).toEqual([]);
    expect(toldOf(next, "one")).toEqual([["out/result", hashText("sha256", "x"), mark]]);
  });

  it("knows no place of which no file was marked", () => {
    const first = opened(undefined);
    first.note("one", entries, new Map());
    expect(first.serialize()).toBeUndefined();
  });

  it("keeps rows of other places, up to 256 KiB of them, and forgets those that were asked for", () => {
    const first = opened(undefined);
    for (let at = 0; at < 12_000; at += 1) first.note(`place-${at}`, entries, marks);
    const next = opened(first.serialize());
    expect(toldOf(next, "place-0")).toHaveLength(1);
    next.note("new", entries, marks);
    const text = next.serialize() ?? "";
    expect(text).toContain("\nnew\t1,12,1700000000000.437,1700000000003.25");
    expect(text).not.toContain("place-0\t");
    expect(text).toContain("place-1\t");
    expect(text.length).toBeLessThan(270 * 1024);
  });

  it("is left as it is by a run that neither restores nor asks for what was restored", () => {
    expect(opened(undefined).serialize()).toBeUndefined();
    const first = opened(undefined);
    first.note("one", entries, marks);
    const next = opened(first.serialize());
    expect(toldOf(next, "another")).toEqual([]);
    expect(next.serialize()).toBeUndefined();
  });

  it("says nothing after the next start of the system", () => {
    const first = opened(undefined);
    first.note("one", entries, marks);
    const body = (first.serialize() ?? "").slice(65);
    const sealed = (changed: string): string => `${hashText("sha256", changed).hash}\n${changed}`;
    expect(toldOf(opened(sealed(body)), "one")).toHaveLength(1);
    const other = body.replace(bootIdentity(), "another");
    expect(other).not.toBe(body);
    expect(toldOf(opened(sealed(other)), "one")).toEqual([]);
  });
});
