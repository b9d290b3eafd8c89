import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { runJson, statusOf } from "./run-json.ts";
import { createSandbox, cue } from "./sandbox.ts";

const make = [
  "mkdir -p out/empty out/deep/er",
  "echo tool > out/tool; chmod +x out/tool",
  "echo plain > out/deep/er/plain.txt",
  "ln -s deep/er/plain.txt out/link",
  "ln -s deep out/folder-link",
  "echo u > 'out/ünï cödé 🎉.txt'",
  "echo d > out/.dot",
  ": > out/nothing",
].join("; ");
const project = createSandbox({
  "beside/keep.txt": "mine\n",
  "env.cue": cue({
    tasks: {
      tree: { command: make, inputs: [], outputs: ["out"] },
      stale: { command: "mkdir -p st; echo a > st/a", inputs: [], outputs: ["st"] },
      globs: {
        command: "mkdir -p gl; echo 1 > gl/a.js; echo 2 > gl/a.map; echo 3 > gl/b.txt",
        inputs: [],
        outputs: ["gl/*.js", "gl/*.map", "!gl/x.map"],
      },
      fileOverFolder: { command: "echo f > fof", inputs: [], outputs: ["fof"] },
      folderOverFile: { command: "mkdir -p dof; echo f > dof/f", inputs: [], outputs: ["dof"] },
      linked: { command: "rm -rf ln; mkdir ln; echo f > ln/f", inputs: [], outputs: ["ln"] },
      right: { command: "echo r > right", inputs: [], outputs: ["right"] },
      below: {
        command: "mkdir -p b; echo 1 > b/x",
        workingDir: "sub",
        inputs: [],
        outputs: ["sub/b"],
      },
    },
  }),
  "sub/.keep": "",
});
beforeAll(() => project.cuenv(["task"]));

describe.concurrent("restoring outputs", () => {
  it("row 45: deleted outputs come back whole: exec bits, links, empty folders, names", async () => {
    expect(await statusOf(project, "tree")).toBe("miss");
    project.remove("out");
    const run = await runJson(project, ["tree"]);
    expect(run.tasks["tree"]).toMatchObject({ cache: { status: "hit" }, restoredFiles: 5 });
    expect(readdirSync(project.path("out")).toSorted()).toEqual(
      [
        ".dot",
        "deep",
        "empty",
        "folder-link",
        "link",
        "nothing",
        "tool",
        "ünï cödé 🎉.txt",
      ].toSorted(),
    );
    expect(statSync(project.path("out/tool")).mode & 0o111).toBe(0o111);
    expect(statSync(project.path("out/deep/er/plain.txt")).mode & 0o111).toBe(0);
    expect(readlinkSync(project.path("out/link"))).toBe("deep/er/plain.txt");
    expect(readlinkSync(project.path("out/folder-link"))).toBe("deep");
    expect(readdirSync(project.path("out/empty"))).toEqual([]);
    expect(project.read("out/ünï cödé 🎉.txt")).toBe("u\n");
    expect(project.read("out/nothing")).toBe("");
  });

  it("row 45: stale files inside declared outputs go, what is beside them stays", async () => {
    await statusOf(project, "stale");
    project.write("st/old.txt", "stale");
    project.write("st/old/deep.txt", "stale");
    project.write("st.txt", "mine");
    expect(await statusOf(project, "stale")).toBe("hit");
    expect(readdirSync(project.path("st"))).toEqual(["a"]);
    expect(project.read("st.txt")).toBe("mine");
    expect(project.read("beside/keep.txt")).toBe("mine\n");
  });

  it("row 45: of a folder with output globs, only what they match is put back or removed", async () => {
    await statusOf(project, "globs");
    project.remove("gl");
    project.write("gl/stale.js", "x");
    project.write("gl/x.map", "x");
    project.write("gl/mine.txt", "x");
    expect(await statusOf(project, "globs")).toBe("hit");
    expect(readdirSync(project.path("gl")).toSorted()).toEqual([
      "a.js",
      "a.map",
      "mine.txt",
      "x.map",
    ]);
  });

  it("row 45: an edited output and a lost exec bit are put right", async () => {
    const own = createSandbox({
      "env.cue": cue({
        tasks: { t: { command: "echo a > o; chmod +x o", inputs: [], outputs: ["o"] } },
      }),
    });
    await statusOf(own, "t");
    writeFileSync(own.path("o"), "b\n");
    expect(await statusOf(own, "t")).toBe("hit");
    expect(own.read("o")).toBe("a\n");
    own.remove("o");
    own.write("o", "a\n");
    expect(await statusOf(own, "t")).toBe("hit");
    expect(statSync(own.path("o")).mode & 0o100).toBe(0o100);
  });

  it("row 45: outputs that are right already are left as they are", async () => {
    await statusOf(project, "right");
    const before = lstatSync(project.path("right"), { bigint: true });
    const run = await runJson(project, ["right"]);
    expect(run.tasks["right"]).toMatchObject({ cache: { status: "hit" }, restoredFiles: 0 });
    const after = lstatSync(project.path("right"), { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });

  it("row 45: a folder in the place of a file, and a file in that of a folder, give way", async () => {
    await statusOf(project, "fileOverFolder");
    project.remove("fof");
    project.write("fof/x/y", "");
    expect(await statusOf(project, "fileOverFolder")).toBe("hit");
    expect(project.read("fof")).toBe("f\n");
    await statusOf(project, "folderOverFile");
    project.remove("dof");
    project.write("dof", "x");
    expect(await statusOf(project, "folderOverFile")).toBe("hit");
    expect(project.read("dof/f")).toBe("f\n");
  });

  it("row 45: a link in the place of an output folder is replaced, never followed", async () => {
    await statusOf(project, "linked");
    project.remove("ln");
    mkdirSync(project.path("../elsewhere"));
    writeFileSync(project.path("../elsewhere/theirs"), "untouched");
    symlinkSync("../elsewhere", project.path("ln"));
    expect((await project.cuenv(["task", "linked"])).code).toBe(0);
    expect(lstatSync(project.path("ln")).isDirectory()).toBe(true);
    expect(project.read("ln/f")).toBe("f\n");
    expect(readdirSync(project.path("../elsewhere"))).toEqual(["theirs"]);
  });

  it("row 24: outputs are relative to the project's folder, whatever `workingDir` says", async () => {
    expect(await statusOf(project, "below")).toBe("miss");
    project.remove("sub/b");
    expect(await statusOf(project, "below")).toBe("hit");
    expect(project.read("sub/b/x")).toBe("1\n");
  });

  it("row 45: what is restored is a copy: writing to it does not reach the cache", async () => {
    const own = createSandbox({
      "env.cue": cue({ tasks: { t: { command: "echo a > o", inputs: [], outputs: ["o"] } } }),
    });
    await statusOf(own, "t");
    for (let time = 0; time < 2; time += 1) {
      own.remove("o");
      expect(await statusOf(own, "t")).toBe("hit");
      expect(own.read("o")).toBe("a\n");
      writeFileSync(own.path("o"), "poison", { flag: "a" });
    }
    expect((await own.cuenv(["cache", "verify"])).code).toBe(0);
  });
});
