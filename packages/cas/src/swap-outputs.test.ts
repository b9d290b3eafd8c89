import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canMount, runModule, sourceUrl } from "../test/other-process.ts";
import { listTree } from "../test/tree.ts";
import { makeFolder } from "../test/workspace.ts";
import type { StagedUnit } from "./stage-outputs.ts";
import { type SwapResult, swapOutputs } from "./swap-outputs.ts";

let base: string;
let places = 0;
const newPlace = (): string => {
  places += 1;
  return `${base}/out/${places}`;
};
beforeEach(() => {
  base = makeFolder();
  for (const folder of ["workspace", "in", "out", "outside"]) mkdirSync(`${base}/${folder}`);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function swap(paths: readonly string[], stale: readonly string[] = []): SwapResult {
  const units = paths.map((path, index) => {
    const staged = `${base}/in/${index}`;
    if (path !== "absent") writeFileSync(staged, `new ${path}`);
    return { path, kind: "file" as const, staged };
  });
  return swapOutputs({ root: `${base}/workspace`, units, stale, newPlace });
}

/** A staged file, or a folder with a file in it. `before` runs whenever it is about to be renamed: what somebody else does in that moment. */
function unitOf(
  path: string,
  before: () => unknown = () => undefined,
  kind: StagedUnit["kind"] = "file",
): StagedUnit {
  places += 1;
  const staged = `${base}/in/${places}`;
  if (kind === "directory") mkdirSync(staged);
  if (path !== "absent")
    writeFileSync(kind === "directory" ? `${staged}/inside` : staged, `new ${path}`);
  return {
    path,
    kind,
    get staged() {
      before();
      return staged;
    },
  };
}

function lexists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Linux has one everywhere; elsewhere the mounted one below must do. */
const otherDevice = ["/dev/shm"].find(
  (folder) => existsSync(folder) && statSync(folder).dev !== statSync(tmpdir()).dev,
);
if (otherDevice === undefined)
  console.warn("SKIPPED: /dev/shm on another device is needed and not there");

const write = (path: string): void => {
  mkdirSync(dirname(`${base}/workspace/${path}`), { recursive: true });
  writeFileSync(`${base}/workspace/${path}`, `old ${path}`);
};

describe("the swap of a restore", () => {
  it("makes the folders that are missing", () => {
    expect(swap(["new/deep/x"])).toEqual({ kind: "swapped" });
    expect(Object.keys(listTree(`${base}/workspace`))).toEqual(["new", "new/deep", "new/deep/x"]);
  });

  it("takes back what it did when a later step fails, folders included", () => {
    for (const path of ["dist/a", "dist/replaced/x", "dist/stale", "kept"]) write(path);
    const before = listTree(`${base}/workspace`);
    const failed = swap(
      ["dist/a", "dist/replaced", "new/deep/b", "absent"],
      ["dist/stale", "dist/gone"],
    );
    expect(failed).toMatchObject({ kind: "failed", undone: true });
    expect(listTree(`${base}/workspace`)).toEqual(before);
  });

  it("takes nothing of others out of a folder that is shared, though it was made since, and takes back only what is its own", () => {
    const inner = (unit: StagedUnit): void => {
      mkdirSync(`${unit.staged}/own/deep`, { recursive: true });
      writeFileSync(`${unit.staged}/own/deep/a`, "new");
    };
    const unit = unitOf("shared", undefined, "directory");
    inner(unit);
    for (const path of ["shared/others", "shared/inside", "shared/own/stale"]) write(path);
    const options = { root: `${base}/workspace`, stale: [], newPlace };
    const isShared = (path: string): boolean => path === "shared";
    const before = listTree(`${base}/workspace`);
    const absent = { path: "x", kind: "file" as const, staged: `${base}/in/absent` };
    expect(swapOutputs({ ...options, units: [unit, absent], isShared })).toMatchObject({
      kind: "failed",
      undone: true,
    });
    expect(listTree(`${base}/workspace`)).toEqual(before);
    expect(swapOutputs({ ...options, units: [unit], isShared })).toEqual({ kind: "swapped" });
    const after = listTree(`${base}/workspace/shared`);
    expect(Object.keys(after)).toEqual(["inside", "others", "own", "own/deep", "own/deep/a"]);
    expect(readFileSync(`${base}/workspace/shared/inside`, "utf8")).toBe("new shared");
  });

  it("puts a folder that is shared in the place of a file, and leaves it to who uses it when it is taken back", () => {
    writeFileSync(`${base}/workspace/shared`, "in the way");
    const options = { root: `${base}/workspace`, stale: [], newPlace, isShared: () => true };
    expect(swapOutputs({ ...options, units: [unitOf("shared", undefined, "directory")] })).toEqual({
      kind: "swapped",
    });
    const used: StagedUnit = {
      path: "new/x",
      kind: "file",
      get staged() {
        writeFileSync(`${base}/workspace/new/others`, "1");
        return `${base}/in/absent`;
      },
    };
    const made = unitOf("new", undefined, "directory");
    const failed = swapOutputs({ ...options, units: [made, used] });
    expect(failed).toMatchObject({ kind: "failed", undone: true });
    expect(Object.keys(listTree(`${base}/workspace`))).toEqual([
      "new",
      "new/others",
      "shared",
      "shared/inside",
    ]);
  });

  it("goes through no link, even one that came after the plan was made", () => {
    symlinkSync("../outside", `${base}/workspace/link`);
    mkdirSync(`${base}/outside/deep`);
    for (const path of ["link/x", "link/deep/x", "link/new/x"]) {
      expect(swap([path])).toMatchObject({ kind: "failed", undone: true });
    }
    expect(Object.keys(listTree(`${base}/outside`))).toEqual(["deep"]);
  });

  it("passes over a stale output that is gone by itself, and no other trouble with one", () => {
    expect(swap(["dist/a"], ["gone", "gone/deep"])).toEqual({ kind: "swapped" });
    write("file");
    const before = listTree(`${base}/workspace`);
    const failed = swap(["dist/b"], ["dist/a", "file/below"]);
    expect(failed).toMatchObject({ kind: "failed", undone: true, cause: { code: "ENOTDIR" } });
    expect(listTree(`${base}/workspace`)).toEqual(before);
  });

  it("says which folder is none", () => {
    write("file");
    symlinkSync("../outside", `${base}/workspace/link`);
    mkdirSync(`${base}/outside/deep`);
    expect(swap(["file/deep/x"])).toMatchObject({ kind: "failed", cause: { code: "ENOTDIR" } });
    for (const [path, folder] of [
      ["file/x", "file"],
      ["link/x", "link"],
      ["link/deep/x", "link"],
    ] as const) {
      const failed = swap([path]);
      expect(failed).toMatchObject({ kind: "failed", undone: true, cause: { code: "ENOTDIR" } });
      expect(String(failed.kind === "failed" && failed.cause)).toBe(
        `Error: ${base}/workspace/${folder} is no folder`,
      );
    }
  });

  it("says that the workspace is gone", () => {
    rmSync(`${base}/workspace`, { recursive: true });
    expect(swap(["x"])).toMatchObject({ kind: "failed", cause: { code: "ENOENT" } });
    expect(swap(["new/x"])).toMatchObject({ kind: "failed", cause: { code: "ENOENT" } });
    expect(existsSync(`${base}/workspace`)).toBe(false);
  });

  it("says that it could not take everything back", () => {
    write("dist/a");
    const swapped = swapOutputs({
      root: `${base}/workspace`,
      units: [unitOf("dist/a", () => rmSync(`${base}/out`, { recursive: true })), unitOf("absent")],
      stale: [],
      newPlace,
    });
    expect(swapped).toMatchObject({ kind: "failed", undone: false, cause: { code: "ENOENT" } });
  });

  describe("while somebody else works there", () => {
    const target = (): string => `${base}/workspace/dist/a`;
    const run = (before: () => void, kind: StagedUnit["kind"] = "file"): SwapResult =>
      swapOutputs({
        root: `${base}/workspace`,
        units: [unitOf("dist/a", before, kind)],
        stale: [],
        newPlace,
      });
    const once = (step: () => void): (() => void) => {
      let done = false;
      return () => {
        if (!done) step();
        done = true;
      };
    };

    it("never takes a file away from readers for another file", () => {
      write("dist/a");
      let seen = "";
      expect(run(() => (seen = readFileSync(target(), "utf8")))).toEqual({ kind: "swapped" });
      expect(seen).toBe("old dist/a");
      expect(readFileSync(target(), "utf8")).toBe("new dist/a");
    });

    it.each<[string, StagedUnit["kind"], () => void]>([
      ["a folder comes where a file goes (EISDIR)", "file", () => mkdirSync(target())],
      ["a file comes where a folder goes (ENOTDIR)", "directory", () => write("dist/a")],
      ["a full folder comes where a folder goes (ENOTEMPTY)", "directory", () => write("dist/a/x")],
      [
        "the folder above goes (ENOENT)",
        "file",
        () => rmSync(`${base}/workspace/dist`, { recursive: true }),
      ],
    ])("puts its own in place when %s", (_, kind, step) => {
      expect(run(once(step), kind)).toEqual({ kind: "swapped" });
      expect(lstatSync(target()).isDirectory()).toBe(kind === "directory");
      const inside = kind === "directory" ? readdirSync(target()) : [];
      expect(inside).toEqual(kind === "directory" ? ["inside"] : []);
      const made = kind === "directory" ? `${target()}/inside` : target();
      expect(readFileSync(made, "utf8")).toBe("new dist/a");
    });

    it("gives up when it goes on and on", () => {
      let times = 0;
      const failed = run(() => {
        times += 1;
        rmSync(`${base}/workspace/dist`, { recursive: true });
      });
      expect(failed).toMatchObject({ kind: "failed", cause: { code: "ENOENT" } });
      expect(times).toBe(5);
    });

    it("does not try again what cannot be done", () => {
      let times = 0;
      const failed = swapOutputs({
        root: `${base}/workspace`,
        units: [unitOf("dist", () => (times += 1)), unitOf("x".repeat(300), () => (times += 1))],
        stale: [],
        newPlace,
      });
      expect(failed).toMatchObject({
        kind: "failed",
        undone: true,
        cause: { code: "ENAMETOOLONG" },
      });
      expect(times).toBeLessThan(3);
    });
  });

  describe.runIf(otherDevice !== undefined)("onto another file system (EXDEV)", () => {
    let far: string;
    beforeEach(() => {
      far = mkdtempSync(`${otherDevice}/cuenv-swap-`);
    });
    afterEach(() => rmSync(far, { recursive: true, force: true }));

    const run = (units: readonly StagedUnit[], stale: readonly string[] = []): SwapResult =>
      swapOutputs({ root: far, units, stale, newPlace });

    it("copies files, folders and links, takes what was there away, and leaves nothing beside them", () => {
      mkdirSync(`${far}/dist/old`, { recursive: true });
      for (const path of ["dist/a", "dist/old/x", "stale"]) writeFileSync(`${far}/${path}`, "old");
      mkdirSync(`${far}/gone/deep`, { recursive: true });
      const folder = unitOf("dist/old", () => undefined, "directory");
      symlinkSync("../nowhere", `${folder.staged}/link`);
      const link: StagedUnit = { path: "link", kind: "symlink", staged: newPlace() };
      symlinkSync("dist/a", link.staged);
      const file = unitOf("dist/a");
      chmodSync(file.staged, 0o750);
      expect(run([file, folder, link], ["stale", "gone", "never"])).toEqual({ kind: "swapped" });
      expect(listTree(far)).toEqual({
        dist: "folder",
        "dist/a": `executable ${Buffer.from("new dist/a").toString("base64")}`,
        "dist/old": "folder",
        "dist/old/inside": Buffer.from("new dist/old").toString("base64"),
        "dist/old/link": "-> ../nowhere",
        link: "-> dist/a",
      });
      expect([file, folder, link].filter(({ staged }) => lexists(staged))).toEqual([]);
    });

    it("says when it cannot take back what it had to remove", () => {
      writeFileSync(`${far}/stale`, "old");
      const failed = run([unitOf("absent")], ["stale"]);
      expect(failed).toMatchObject({ kind: "failed", undone: false });
      expect(readdirSync(far)).toEqual([]);
    });

    it("takes back what it only added", () => {
      mkdirSync(`${far}/kept`);
      const failed = run([unitOf("new/a"), unitOf("kept/b"), unitOf("absent")]);
      expect(failed).toMatchObject({ kind: "failed", undone: true });
      expect(Object.keys(listTree(far))).toEqual(["kept"]);
    });

    it("leaves nothing of a copy that fails", () => {
      const somebody = (): void => {
        mkdirSync(`${far}/dist`, { recursive: true });
        writeFileSync(`${far}/dist/theirs`, "");
      };
      const failed = run([unitOf("dist", somebody, "directory")]);
      expect(failed).toMatchObject({ kind: "failed", cause: { code: "ENOTEMPTY" } });
      expect(Object.keys(listTree(far))).toEqual(["dist", "dist/theirs"]);
    });
  });

  it.runIf(canMount)(
    "copies where a part of the workspace is another file system (EXDEV)",
    async () => {
      const program = `
      import { makeWorkspace } from "${sourceUrl.replace("/src", "/test/workspace.ts")}";
      import { listTree } from "${sourceUrl.replace("/src", "/test/tree.ts")}";
      import { execFileSync } from "node:child_process";
      import { mkdirSync, rmSync, statSync } from "node:fs";
      const space = makeWorkspace();
      mkdirSync(space.root + "/app");
      execFileSync("mount", ["-t", "tmpfs", "none", space.root + "/app"]);
      if (statSync(space.root).dev === statSync(space.root + "/app").dev) throw new Error("one device");
      space.write("app/dist/sub/tool", "tool", 0o755);
      space.write("app/dist/a", "a");
      space.write("app/report", "report");
      const outputs = ["dist", "report"];
      const { entries } = await space.capture("app", outputs);
      const wanted = JSON.stringify(listTree(space.root));
      for (const harm of [
        () => rmSync(space.root + "/app/dist", { recursive: true }),
        () => space.write("app/dist/a", "changed"),
        () => space.write("app/dist/stale/x", "stale"),
        () => { rmSync(space.root + "/app/report"); space.write("app/report/x", "a folder"); },
      ]) {
        harm();
        const { kind } = await space.restore("app", outputs, entries);
        console.log(kind, JSON.stringify(listTree(space.root)) === wanted);
      }
      execFileSync("umount", [space.root + "/app"]);
      space.cleanUp();
    `;
      const ended = await runModule(program, { withMounts: true });
      expect(ended.stderr).toBe("");
      expect(ended.stdout).toBe("restored true\n".repeat(4));
    },
  );
});
