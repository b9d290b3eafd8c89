import { describe, expect, it } from "vitest";
import { canBeNobody, runModule, sourceUrl } from "../test/other-process.ts";

/** As a user whom modes concern. What the program prints, one value for each line. */
async function asNobody(program: string): Promise<unknown[]> {
  const imports = `
    import { chmodSync, readdirSync, readFileSync, statSync } from "node:fs";
    import { makeWorkspace } from "${sourceUrl.replace("/src", "/test")}/workspace.ts";
    import { swapOutputs } from "${sourceUrl}/swap-outputs.ts";
    import { sweepAbandoned } from "${sourceUrl}/temporary-folder.ts";
    const space = makeWorkspace();
    const print = (value) => console.log(JSON.stringify(value));
    const lock = (...paths) => { for (const path of paths) chmodSync(space.root + "/" + path, 0o555); };
    const unlock = (...paths) => { for (const path of paths) chmodSync(space.root + "/" + path, 0o755); };
    const mode = (path) => (statSync(space.root + "/" + path).mode & 0o777).toString(8);
  `;
  const ended = await runModule(`${imports}${program}\nspace.cleanUp();`, { asNobody: true });
  expect(ended.stderr).toBe("");
  return ended.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

describe.skipIf(!canBeNobody)("outputs that a task made read-only", () => {
  it("give way to those of another result, and leave nothing behind", async () => {
    const [restored, files, left, modes] = await asNobody(`
      space.write("dist/a", "one");
      space.write("dist/sub/b", "one");
      const { entries } = await space.capture("", ["dist"]);
      space.write("dist/a", "two");
      space.write("dist/sub/b", "two");
      space.write("dist/stale/deep/c", "two");
      space.write("dist/sub/stale", "two");
      lock("dist/stale/deep", "dist/stale", "dist/sub", "dist");
      print((await space.restore("", ["dist"], entries)).kind);
      print(["a", "sub/b"].map((name) => readFileSync(space.root + "/dist/" + name, "utf8")).concat(readdirSync(space.root + "/dist"), readdirSync(space.root + "/dist/sub")));
      print(readdirSync(space.folder.temporaryDirectory()));
      print([mode("dist"), mode("dist/sub")]);
    `);
    expect(restored).toBe("restored");
    expect(files).toEqual(["one", "one", "a", "sub", "b"]);
    expect(left).toEqual([]);
    expect(modes).toEqual(["755", "755"]);
  });

  it("are read-only again when what is to come cannot be put in place", async () => {
    const [kind, undone, content, modes] = await asNobody(`
      space.write("dist/a", "before");
      space.write("dist/sub/b", "before");
      space.write("other/c", "before");
      lock("dist/sub", "dist", "other");
      const staged = ["dist/a", "dist/sub/b", "other/c"].map((path, at) => {
        space.write("staged" + at, "after");
        return { path, kind: "file", staged: space.root + "/staged" + at };
      });
      let places = 0;
      const result = swapOutputs({
        root: space.root,
        units: staged,
        stale: [],
        newPlace: () => space.root + "/place" + places++,
        isOwn: (path) => path.startsWith("dist"),
      });
      print(result.kind);
      print(result.undone);
      print(["dist/a", "dist/sub/b", "other/c"].map((path) => readFileSync(space.root + "/" + path, "utf8")));
      print([mode("dist"), mode("dist/sub"), mode("other")]);
      unlock("dist", "dist/sub", "other");
    `);
    expect([kind, undone]).toEqual(["failed", true]);
    expect(content).toEqual(["before", "before", "before"]);
    expect(modes).toEqual(["555", "555", "555"]);
  });

  it("are swept with what a dead process left", async () => {
    const [swept, there] = await asNobody(`
      space.write("tmp/00000000.1.1.1.0123456789abcdef/restore-1-0/ro/x", "1");
      lock("tmp/00000000.1.1.1.0123456789abcdef/restore-1-0/ro", "tmp/00000000.1.1.1.0123456789abcdef");
      const now = Date.now() + 24 * 60 * 60 * 1000;
      print(sweepAbandoned(space.root + "/tmp", now));
      print(readdirSync(space.root + "/tmp"));
    `);
    expect([swept, there]).toEqual([1, []]);
  });
});
