import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const source = new URL("create-file-index.ts", import.meta.url).href;

/** What a process that was started in `folder` prints: tests run in threads, which have no working directory of their own. */
async function inProcess(folder: string, code: string): Promise<unknown> {
  const script = `
    import { renameSync, mkdirSync, writeFileSync, rmSync } from "node:fs";
    import { createFileIndex } from ${JSON.stringify(source)};
    const root = process.cwd();
    const index = createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
    const sizes = () => [index.stat("a")?.sizeBytes, index.stat("folder/b")?.sizeBytes];
    const all = [sizes()];
    const again = () => { index.invalidate(""); all.push(sizes()); };
    ${code}
    console.log(JSON.stringify(all));`;
  const args = ["--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
  return JSON.parse(stdout);
}

async function workspace(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "paths-below-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const root = join(folder, "work");
  await mkdir(join(root, "folder"), { recursive: true });
  await writeFile(join(root, "a"), "one");
  await writeFile(join(root, "folder", "b"), "three");
  return root;
}

const another = `mkdirSync(root); writeFileSync(root + "/a", "of another"); again();`;

it("finds the files of the folder that it runs in, and of no other when it goes elsewhere", async () => {
  expect(await inProcess(await workspace(), `process.chdir("folder"); again();`)).toEqual([
    [3, 5],
    [3, 5],
  ]);
  // Also in the turn in which it went: what was not looked at yet is looked for where it is.
  const went = `process.chdir("folder"); all.push([index.stat("b")?.sizeBytes, index.stat("folder")?.kind]);`;
  expect(await inProcess(await workspace(), went)).toEqual([
    [3, 5],
    [null, "directory"],
  ]);
});

it("finds what is in the folder's place once that was moved or removed", async () => {
  const moved = `renameSync(root, root + "-moved"); again(); ${another}`;
  expect(await inProcess(await workspace(), moved)).toEqual([
    [3, 5],
    [null, null],
    [10, null],
  ]);
  const removed = `rmSync(root, { recursive: true }); again(); ${another}`;
  expect(await inProcess(await workspace(), removed)).toEqual([
    [3, 5],
    [null, null],
    [10, null],
  ]);
});
