import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canMount, runModule, sourceUrl } from "../test/other-process.ts";
import { listTree } from "../test/tree.ts";
import { makeFolder } from "../test/workspace.ts";
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

  it("goes through no link, even one that came after the plan was made", () => {
    symlinkSync("../outside", `${base}/workspace/link`);
    mkdirSync(`${base}/outside/deep`);
    for (const path of ["link/x", "link/deep/x", "link/new/x"]) {
      expect(swap([path])).toMatchObject({ kind: "failed", undone: true });
    }
    expect(Object.keys(listTree(`${base}/outside`))).toEqual(["deep"]);
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
