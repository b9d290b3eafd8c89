import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  openSync,
  closeSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { createFileIndex, hashText } from "@cuenv/digest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canBeNobody, runModule, sourceUrl } from "../test/other-process.ts";
import { makeWorkspace, type Workspace } from "../test/workspace.ts";
import { captureOutputs } from "./capture-outputs.ts";
import { processIdentity } from "./process-identity.ts";
import { restoreOutputs } from "./restore-outputs.ts";

let space: Workspace;
beforeEach(() => {
  space = makeWorkspace();
});
afterEach(() => space.cleanUp());

async function paths(project: string, outputs: readonly string[]): Promise<string[]> {
  const captured = await space.capture(project, outputs);
  expect(captured.problems).toEqual([]);
  return captured.entries.map(({ kind, path }) => (kind === "directory" ? `${path}/` : path));
}

async function problems(project: string, outputs: readonly string[]): Promise<string[]> {
  const captured = await space.capture(project, outputs);
  return captured.problems.map(({ message }) => message);
}

describe("what declared outputs name", () => {
  beforeEach(() => {
    for (const path of [
      "app/dist/index.js",
      "app/dist/index.js.map",
      "app/dist/.vite/manifest.json",
      "app/dist/cache/big",
      "app/dist/deep/er/x.js",
      "app/report.xml",
      "app/src/a.js",
      "shared/gen/types.d.ts",
    ]) {
      space.write(path, path);
    }
    mkdirSync(`${space.root}/app/dist/empty`);
  });

  it("is a whole folder, with dotfiles and empty folders", async () => {
    const all = [
      "app/dist/",
      "app/dist/.vite/",
      "app/dist/.vite/manifest.json",
      "app/dist/cache/",
      "app/dist/cache/big",
      "app/dist/deep/",
      "app/dist/deep/er/",
      "app/dist/deep/er/x.js",
      "app/dist/empty/",
      "app/dist/index.js",
      "app/dist/index.js.map",
    ];
    for (const outputs of [
      ["dist"],
      ["dist/"],
      ["./dist"],
      ["dist/**"],
      ["dist/**/*"],
      ["//app/dist"],
    ]) {
      expect(await paths("app", outputs)).toEqual(all);
    }
  });

  it("is a single file", async () => {
    expect(await paths("app", ["report.xml"])).toEqual(["app/report.xml"]);
  });

  it("is what a glob matches, with the folders on the way", async () => {
    expect(await paths("app", ["dist/**/*.js"])).toEqual([
      "app/dist/",
      "app/dist/deep/",
      "app/dist/deep/er/",
      "app/dist/deep/er/x.js",
      "app/dist/index.js",
    ]);
    expect(await paths("app", ["*.xml"])).toEqual(["app/report.xml"]);
    expect(await paths("app", ["dist/index.{js,css}"])).toEqual(["app/dist/", "app/dist/index.js"]);
  });

  it("is nothing that a restore is staging at the workspace's root", async () => {
    space.write(".cuenv-staging-00000000.1.1.1.0123456789abcdef/in/0/a.xml", "staged");
    expect(await paths("", ["**/*.xml"])).toEqual(["app/", "app/report.xml"]);
  });

  it("is nothing that a glob finds in packages or in git's folder, unless it names them", async () => {
    space.write("app/node_modules/pkg/index.js", "theirs");
    space.write("app/node_modules/.cache/tool/x.js", "ours");
    space.write("app/.git/hook.js", "git's");
    expect(
      (await paths("app", ["**/*.js"])).filter((path) => /node_modules|git/.test(path)),
    ).toEqual([]);
    expect(await paths("app", ["node_modules/.cache/*/*.js"])).toContain(
      "app/node_modules/.cache/tool/x.js",
    );
  });

  it("is the whole folder that a glob matches", async () => {
    expect(await paths("app", ["dist/d*"])).toEqual([
      "app/dist/",
      "app/dist/deep/",
      "app/dist/deep/er/",
      "app/dist/deep/er/x.js",
    ]);
  });

  it("leaves out exceptions, wherever they stand in the list", async () => {
    expect(await paths("app", ["!dist/cache", "dist", "!dist/**/*.map", "!dist/deep/**"])).toEqual([
      "app/dist/",
      "app/dist/.vite/",
      "app/dist/.vite/manifest.json",
      "app/dist/empty/",
      "app/dist/index.js",
    ]);
  });

  it("may lie elsewhere in the workspace", async () => {
    expect(await paths("app", ["//shared/gen"])).toEqual(["shared/gen/", "shared/gen/types.d.ts"]);
    expect(await paths("app", ["../shared/gen"])).toEqual(["shared/gen/", "shared/gen/types.d.ts"]);
    expect(await paths("", ["shared/gen"])).toEqual(["shared/gen/", "shared/gen/types.d.ts"]);
  });

  it("takes parentheses and brackets of folder names as they are, where no wildcard follows", async () => {
    space.write("app/out/(auth)/page.js", "x");
    expect(await paths("app", ["out/(auth)"])).toEqual([
      "app/out/(auth)/",
      "app/out/(auth)/page.js",
    ]);
    expect(await paths("app", ["out/(auth)/*.js"])).toEqual([
      "app/out/(auth)/",
      "app/out/(auth)/page.js",
    ]);
  });

  it("is told when nothing of it is there", async () => {
    const captured = await space.capture("app", ["dist", "absent", "absent/**/*.js", "dist/*.css"]);
    expect(captured.missing).toEqual(["absent", "absent/**/*.js", "dist/*.css"]);
    expect(captured.problems).toEqual([]);
  });

  it.each([
    ["../../elsewhere", "it lies outside the workspace"],
    ["/etc", "it is an absolute path"],
    [".", "it is the whole folder of the project (app)"],
    ["**", "it is the whole folder of the project (app)"],
    ["//", "it is the whole folder of the project (app)"],
    ["dist/*/../../..", "it has a `..` after a wildcard"],
    ["x\0y", "it contains a NUL"],
    ["x".repeat(2000), "the pattern is too long"],
    ["dist/*a*a*a*a*a*b", "a part of it has more than 4 wildcards"],
    ["dist/x**y", "`**` must stand alone between slashes"],
  ])("refuses %j", async (output, reason) => {
    expect((await problems("app", [output])).join()).toContain(reason);
  });

  it("T17: matches any accepted pattern against a hostile name in bounded time", async () => {
    for (let index = 0; index < 40; index += 1) space.write(`app/h/${"a".repeat(110 + index)}`, "");
    const before = process.cpuUsage();
    for (const pattern of [
      "h/*a*a*a*b",
      "h/{a*,a*,a*}*b",
      "h/**/*a*a*/**/*a*b",
      "h/[a-z]*[a-z]*a*b",
    ]) {
      await space.capture("app", [pattern]);
    }
    // Of work, not of time, which a busy machine stretches.
    const { user } = process.cpuUsage(before);
    expect(user / 1000).toBeLessThan(2000);
  });
});

describe("what cannot be stored", () => {
  beforeEach(() => space.write("app/dist/good.js", "good"));
  const stored = async (): Promise<boolean> => {
    await space.capture("app", ["dist"]);
    return (await space.store.missing([hashText("sha256", "good")])).length === 0;
  };

  it("is a folder that cannot be listed: taken for an empty one, its files would be lost", async () => {
    const long = "l".repeat(300);
    space.write("app/dist/a", "1");
    const seesFolder = (path: string): Stats | undefined =>
      lstatSync(path.endsWith(long) ? `${space.root}/app/dist` : path, { throwIfNoEntry: false });
    const index = createFileIndex({
      root: space.root,
      digestFunction: "sha256",
      stateFile: undefined,
      lstat: seesFolder,
    });
    const { store } = space;
    const outputs = ["dist", long];
    const captured = await captureOutputs({ index, projectDirectory: "app", outputs, store });
    expect(captured.problems).toEqual([
      { path: "", message: expect.stringContaining("cannot store its outputs: ENAMETOOLONG") },
    ]);
    expect(captured.entries).toEqual([]);
    const entries = [{ kind: "directory", path: "app/dist" }] as const;
    const restored = { index, projectDirectory: "app", outputs, entries, store };
    expect(await restoreOutputs(restored)).toMatchObject({ kind: "miss", reason: "failed" });
    expect(readFileSync(`${space.root}/app/dist/a`, "utf8")).toBe("1");
  });

  it("is a link to a name that is not UTF-8: it would lead elsewhere when it is restored", async () => {
    space.write("app/dist/a", "1");
    symlinkSync(Buffer.from([0x61, 0xff]), `${space.root}/app/dist/link`);
    expect(await problems("app", ["dist"])).toEqual([
      expect.stringMatching(/^cannot store output app\/dist\/link: .* is not valid UTF-8$/),
    ]);
  });

  it("is a FIFO, without waiting for its writer", async () => {
    spawnSync("mkfifo", [`${space.root}/app/dist/pipe`]);
    expect(await problems("app", ["dist"])).toEqual([
      "cannot store output app/dist/pipe: it is a FIFO, a socket or a device",
    ]);
    expect(await stored()).toBe(false);
    expect(await problems("app", ["dist/pipe"])).toHaveLength(1);
  });

  it("is a socket", async () => {
    const server = createServer();
    await new Promise<void>(
      (resolve) => void server.listen(`${space.root}/app/dist/socket`, resolve),
    );
    expect(await problems("app", ["dist"])).toEqual([
      "cannot store output app/dist/socket: it is a FIFO, a socket or a device",
    ]);
    server.close();
  });

  it.each([
    ["/etc/passwd", "a link to an absolute path (/etc/passwd)"],
    ["../../../outside", "a link that leaves the workspace (../../../outside)"],
    ["sub/../../good.js", "a link that goes down and up again (sub/../../good.js)"],
  ])("is a link to %s", async (target, reason) => {
    symlinkSync(target, `${space.root}/app/dist/link`);
    expect(await problems("app", ["dist"])).toEqual([
      `cannot store output app/dist/link: ${reason}`,
    ]);
    expect(await stored()).toBe(false);
  });

  it("is a pair of names that some file systems take for one", async () => {
    space.write("app/dist/Readme", "1");
    space.write("app/dist/README", "2");
    space.write("app/dist/caf\u00e9", "3");
    space.write("app/dist/cafe\u0301", "4");
    expect(await problems("app", ["dist"])).toEqual([
      "cannot store output app/dist/Readme: some file systems take its name for that of app/dist/README",
      "cannot store output app/dist/caf\u00e9: some file systems take its name for that of app/dist/cafe\u0301",
    ]);
  });

  it("is a name that is not Unicode, or has a backslash", async () => {
    space.write("app/dist/back\\slash", "");
    const bytes = Buffer.from(`${space.root}/app/dist/bad-?`);
    bytes[bytes.length - 1] = 0xff;
    closeSync(openSync(bytes, "w"));
    expect(await problems("app", ["dist"])).toEqual([
      "cannot store output app/dist/back\\slash: a backslash in a name",
      "cannot store output app/dist/bad-\u{fffd}: a name that is not Unicode",
    ]);
  });

  it("is what lies behind a link", async () => {
    mkdirSync(`${space.root}/elsewhere`);
    space.write("elsewhere/dist/x", "x");
    symlinkSync("elsewhere", `${space.root}/linked`);
    expect(await problems("linked", ["dist"])).toEqual([
      "cannot store output dist: linked, above it, is a symbolic link",
    ]);
  });

  it.runIf(canBeNobody)("is a file that cannot be read", async () => {
    const program = `
      import { makeWorkspace } from "./test/workspace.ts";
      import { chmodSync } from "node:fs";
      const space = makeWorkspace();
      space.write("dist/secret", "x", 0o000);
      space.write("dist/fine", "x");
      console.log((await space.capture("", ["dist"])).problems.map(({ message }) => message).join());
      space.cleanUp();
    `;
    const ended = await runModule(
      program.replaceAll("./test/", sourceUrl.replace("/src", "/test/")),
      { asNobody: true },
    );
    expect(ended.stderr).toBe("");
    expect(ended.stdout).toBe(
      "cannot store output dist/secret: it cannot be read (permission denied)\n",
    );
  });
});

describe("what is stored", () => {
  it("is nothing that a killed restore left beside outputs, which the next one removes", async () => {
    space.write("dist/a", "1");
    space.write(`dist/.cuenv-staging-${processIdentity()}/half`, "1");
    const { entries, problems: none } = await space.capture("", ["dist"]);
    expect(entries.map(({ path }) => path)).toEqual(["dist", "dist/a"]);
    expect(none).toEqual([]);
    expect(await space.restore("", ["dist"], entries)).toMatchObject({ removedPaths: 1 });
    expect(readdirSync(`${space.root}/dist`)).toEqual(["a"]);
  });

  it("follows a file that changes between hashing and storing", async () => {
    space.write("dist/a", "first");
    const { index, store } = space;
    index.digest("dist/a");
    // The index answers from memory, as after a task whose writes it was told of too early.
    space.write("dist/a", "other");
    const captured = await captureOutputs({
      index,
      projectDirectory: "",
      outputs: ["dist"],
      store,
    });
    expect(captured.problems).toEqual([]);
    const [, file] = captured.entries;
    expect(
      file?.kind === "file" && Buffer.from(store.readSync?.(file.digest) ?? []).toString(),
    ).toBe("other");
    expect(file?.kind === "file" && index.digest("dist/a")).toEqual(
      file?.kind === "file" && file.digest,
    );
  });

  it("keeps the owner's execute bit and nothing else of the mode", async () => {
    for (const mode of [0o644, 0o600, 0o755, 0o700, 0o744, 0o655]) {
      space.write(`dist/${mode.toString(8)}`, "x");
      chmodSync(`${space.root}/dist/${mode.toString(8)}`, mode);
    }
    const { entries } = await space.capture("", ["dist"]);
    const executable = entries.flatMap((entry) =>
      entry.kind === "file" && entry.executable ? [entry.path] : [],
    );
    expect(executable).toEqual(["dist/700", "dist/744", "dist/755"]);
  });

  it("is in the order of UTF-8 bytes", async () => {
    const names = ["a", "a-b", "a.b", "B", "\u{ff5e}", "\u{1f600}", "\u00e9"];
    for (const name of names) space.write(`dist/${name}`, name);
    mkdirSync(`${space.root}/dist/a-dir`);
    const { entries } = await space.capture("", ["dist"]);
    const bytes = entries.map(({ path }) => Buffer.from(path));
    expect(bytes).toEqual(bytes.toSorted((left, right) => Buffer.compare(left, right)));
  });

  it("row 45: is the same when nothing is written twice", async () => {
    space.write("dist/a", "same");
    space.write("dist/b", "same");
    const first = await space.capture("", ["dist"]);
    rmSync(`${space.root}/dist/b`);
    space.write("dist/b", "same");
    expect(await space.capture("", ["dist"])).toEqual(first);
    expect(first.sizeBytes).toBe(8);
  });

  // Writes 2 GiB twice. What is smaller takes the same path; Node's own calls end at 2 GiB.
  it.runIf(process.env["CUENV_FULL_SWEEP"] === "1")("may be larger than 2 GiB", async () => {
    // BLAKE3, because it takes a third of the time.
    const large = makeWorkspace({ digestFunction: "blake3" });
    const size = 2 ** 31 + 4096;
    const path = `${large.root}/dist/huge`;
    large.write("dist/huge", "");
    spawnSync("truncate", ["-s", String(size), path]);
    const file = openSync(path, "r+");
    writeSync(file, "end", size - 3);
    closeSync(file);
    const { entries, problems: found } = await large.capture("", ["dist"]);
    expect(found).toEqual([]);
    rmSync(path);
    const restored = await large.restore("", ["dist"], entries);
    expect(restored).toMatchObject({ kind: "restored", restoredBytes: size });
    const end = Buffer.alloc(4);
    const again = openSync(path, "r");
    expect(readSync(again, end, 0, 4, size - 4)).toBe(4);
    closeSync(again);
    expect(end.toString()).toBe("\0end");
    large.cleanUp();
  });
});
