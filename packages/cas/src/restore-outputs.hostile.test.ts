import { hashText } from "@cuenv/digest";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listTree } from "../test/tree.ts";
import { makeWorkspace, type Workspace } from "../test/workspace.ts";
import type { OutputEntry } from "./output-entry.ts";
import { entriesProblem, linkProblem, pathProblem } from "./validate-entries.ts";

let space: Workspace;
let outside: string;
beforeEach(async () => {
  space = makeWorkspace();
  outside = `${space.root}/../outside`;
  mkdirSync(outside);
  writeFileSync(`${outside}/canary`, "alive");
  space.write("src/a.ts", "source");
  await space.store.ingest(Buffer.from("evil"));
});
afterEach(() => space.cleanUp());

const digest = hashText("sha256", "evil");
const file = (path: string): OutputEntry => ({ kind: "file", path, digest, executable: false });
const folder = (path: string): OutputEntry => ({ kind: "directory", path });
const link = (path: string, target: string): OutputEntry => ({ kind: "symlink", path, target });

/** Everything around the workspace, and in it, but for what is declared. */
function surroundings(): unknown {
  const workspace = Object.entries(listTree(space.root)).filter(
    ([path]) => !/^dist(\/|$)/.test(path),
  );
  return { workspace, outside: listTree(outside), names: readdirSync(`${space.root}/..`) };
}

describe("T7: hostile entries", () => {
  it.each<[string, OutputEntry[]]>([
    ["an empty path", [file("")]],
    ["a path that climbs", [file("dist/../../outside/canary")]],
    ["a path that climbs at once", [file("../outside/canary")]],
    ["a path that climbs and comes back", [file("dist/../dist/x")]],
    ["a dot", [file("dist/./x")]],
    ["an empty name", [file("dist//x")]],
    ["a slash at the end", [file("dist/x/")]],
    ["an absolute path", [file("/etc/cuenv-evil")]],
    ["a NUL", [file("dist/x\0y")]],
    ["a backslash", [file("dist\\..\\..\\outside\\canary")]],
    ["a drive letter", [file("C:/evil")]],
    ["a name of 256 bytes", [file(`dist/${"x".repeat(256)}`)]],
    ["a name of 256 bytes in 128 letters", [file(`dist/${"é".repeat(128)}`)]],
    ["a path of more than 4096 bytes", [file(`dist/${"deep/".repeat(900)}x`)]],
    ["a lone surrogate", [file("dist/\ud800")]],
    ["a path that is there twice", [folder("dist"), file("dist/x"), file("dist/x")]],
    ["names that differ in case", [folder("dist"), file("dist/X"), file("dist/x")]],
    [
      "names that differ in composition",
      [folder("dist"), file("dist/caf\u00e9"), file("dist/cafe\u0301")],
    ],
    ["names that fold alike", [folder("dist"), file("dist/stra\u00dfe"), file("dist/STRASSE")]],
    ["folders that differ in case", [folder("dist/A"), file("dist/A/x"), file("dist/a/y")]],
    ["a file below a file", [file("dist"), file("dist/x")]],
    ["a file below a link", [folder("dist"), link("dist/up", "../src"), file("dist/up/a.ts")]],
    [
      "a file below a link in another case",
      [folder("dist"), link("dist/UP", "../src"), file("dist/up/a.ts")],
    ],
    ["an absolute link", [folder("dist"), link("dist/x", "/etc/passwd")]],
    ["a link that leaves", [folder("dist"), link("dist/x", "../../outside/canary")]],
    [
      "a link that leaves by way of another",
      [folder("dist"), link("dist/a", "."), link("dist/b", "a/../../outside")],
    ],
    ["a link to a drive", [folder("dist"), link("dist/x", "C:\\evil")]],
    ["a link with a NUL", [folder("dist"), link("dist/x", "a\0b")]],
    ["an empty link", [folder("dist"), link("dist/x", "")]],
    ["a source file", [file("src/a.ts")]],
    ["a sibling with the same beginning", [file("dist-evil")]],
    ["the workspace's own folder", [folder("src")]],
    ["git's folder", [file(".git/hooks/pre-commit")]],
  ])("%s: a miss, and nothing changes", async (_, entries) => {
    const before = surroundings();
    const result = await space.restore("", ["dist"], entries);
    expect(result).toMatchObject({ kind: "miss", reason: "invalid", workspaceChanged: false });
    expect(surroundings()).toEqual(before);
    expect(listTree(space.root)["dist"]).toBeUndefined();
  });

  it.each<[string, OutputEntry[]]>([
    [
      "look-alikes of dots and slashes",
      [folder("dist"), file("dist/\uff0e\uff0e\u2215x"), file("dist/..\u2044x")],
    ],
    ["a bidi override", [folder("dist"), file("dist/txt.\u202eexe")]],
    ["names of dots", [folder("dist"), file("dist/..."), file("dist/..x"), file("dist/x..")]],
    ["a colon, which only Windows refuses", [folder("dist"), file("dist/a:b")]],
    ["50 levels", Array.from({ length: 50 }, (__, depth) => folder(`dist${"/d".repeat(depth)}`))],
    ["a name of 255 bytes", [folder("dist"), file(`dist/${"x".repeat(255)}`)]],
    ["a link to what is not there", [folder("dist"), link("dist/x", "../src/none")]],
  ])("%s: harmless, and restored", async (_, entries) => {
    const before = surroundings();
    expect(await space.restore("", ["dist"], entries)).toMatchObject({ kind: "restored" });
    expect(surroundings()).toEqual(before);
    expect(
      Object.keys(listTree(space.root)).filter((path) => path.startsWith("dist")),
    ).toHaveLength(entries.length);
  });

  it("refuses on Windows what only Windows cannot have", () => {
    for (const path of [
      "dist/a:b",
      "dist/nul",
      "dist/COM1.txt",
      "dist/x.",
      "dist/x ",
      "dist/a?b",
    ]) {
      expect(pathProblem(path, "linux")).toBeUndefined();
      expect(pathProblem(path, "win32")).toBe("a name that Windows cannot have");
    }
  });

  it("lets no link climb further than its own folders", () => {
    expect(linkProblem("a/b/link", "../../x")).toBeUndefined();
    expect(linkProblem("a/b/link", "../../../x")).toContain("leaves");
    expect(linkProblem("link", "..")).toContain("leaves");
    expect(linkProblem("a/link", "..")).toBeUndefined();
    expect(linkProblem("a/link", "./.././x")).toBeUndefined();
  });
});

describe("T7: a link on the disk in the way", () => {
  it("is replaced, not followed, where the result has a folder", async () => {
    symlinkSync("../outside", `${space.root}/dist`);
    const result = await space.restore("", ["dist"], [folder("dist"), file("dist/canary")]);
    expect(result).toMatchObject({ kind: "restored" });
    expect(readFileSync(`${outside}/canary`, "utf8")).toBe("alive");
    expect(readFileSync(`${space.root}/dist/canary`, "utf8")).toBe("evil");
  });

  it("is replaced, not written through, where the result has a file", async () => {
    mkdirSync(`${space.root}/dist`);
    symlinkSync("../../outside/canary", `${space.root}/dist/x`);
    expect(await space.restore("", ["dist"], [folder("dist"), file("dist/x")])).toMatchObject({
      kind: "restored",
    });
    expect(readFileSync(`${outside}/canary`, "utf8")).toBe("alive");
  });

  it("above an output makes a miss: nothing is written or removed behind it", async () => {
    symlinkSync("../outside", `${space.root}/app`);
    mkdirSync(`${outside}/dist`);
    writeFileSync(`${outside}/dist/stale`, "kept");
    const before = surroundings();
    for (const entries of [[folder("app/dist"), file("app/dist/x")], []]) {
      const result = await space.restore("app", ["dist"], entries);
      expect(result).toMatchObject({ kind: "miss", reason: "failed" });
    }
    const single = await space.restore("app", ["canary"], [file("app/canary")]);
    expect(single).toMatchObject({ kind: "miss", reason: "failed" });
    expect(surroundings()).toEqual(before);
  });

  it("among the outputs is removed as a link when it is stale", async () => {
    mkdirSync(`${space.root}/dist`);
    symlinkSync("../../outside", `${space.root}/dist/stale`);
    expect(await space.restore("", ["dist"], [folder("dist")])).toMatchObject({ removedPaths: 1 });
    expect(readFileSync(`${outside}/canary`, "utf8")).toBe("alive");
  });
});

describe("T7, C10: any list of entries", () => {
  const piece = fc.constantFrom(
    "dist",
    "..",
    ".",
    "",
    "a",
    "A",
    "b",
    "\u00e9",
    "e\u0301",
    "\0",
    "\\",
    "/",
    "C:",
    "link",
    "src",
    "...",
  );
  const path = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join("/"));
  const entry: fc.Arbitrary<OutputEntry> = fc.oneof(
    path.map(file),
    path.map(folder),
    fc.tuple(path, path).map(([from, to]) => link(from, to)),
  );
  // Half of them below the declared output, so that many get past the first checks.
  const below = entry.map((each) =>
    entriesProblem([each]) === undefined ? each : { ...each, path: `dist/${each.path}` },
  );

  /** How many: `npm run test:hostile` asks for 100,000, as reference/reliability.md T7 does. */
  const manifests = Number(process.env["CUENV_HOSTILE_MANIFESTS"] ?? 3000);

  it(`changes nothing outside the declared outputs, for ${manifests} of them`, async () => {
    const counts = { restored: 0, miss: 0 };
    const before = JSON.stringify(surroundings());
    const canary = (): string => {
      const { ino, mtimeNs, ctimeNs } = statSync(`${outside}/canary`, { bigint: true });
      return `${ino} ${mtimeNs} ${ctimeNs}`;
    };
    const untouched = canary();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(entry, below), { maxLength: 6 }), async (entries) => {
        rmSync(`${space.root}/dist`, { recursive: true, force: true });
        const result = await space.restore("", ["dist"], [folder("dist"), ...entries]);
        counts[result.kind] += 1;
        // Cheap after each; all of it after every hundredth.
        const isEven = (counts.restored + counts.miss) % 100 === 0;
        return canary() === untouched && !(isEven && JSON.stringify(surroundings()) !== before);
      }),
      { numRuns: manifests },
    );
    expect(JSON.stringify(surroundings())).toBe(before);
    expect(counts.restored + counts.miss).toBe(manifests);
    expect(Math.min(counts.restored, counts.miss)).toBeGreaterThan(manifests / 30);
  }, 600_000);
});

describe("T8: sizes that are lies", () => {
  it.each([0, 3, 5, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER])(
    "%d bytes for a blob of 4: a miss at once, with no memory for it",
    async (sizeBytes) => {
      const rss = process.memoryUsage.rss();
      const before = process.cpuUsage();
      const lie = {
        kind: "file",
        path: "dist/x",
        digest: { ...digest, sizeBytes },
        executable: false,
      } as const;
      const result = await space.restore("", ["dist"], [folder("dist"), lie]);
      expect(result).toMatchObject({ kind: "miss", workspaceChanged: false });
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1000).toBeLessThan(1000);
      expect(process.memoryUsage.rss() - rss).toBeLessThan(64 * 1024 * 1024);
      expect(listTree(space.root)["dist"]).toBeUndefined();
    },
  );
});
