import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "../e2e/sandbox.ts";

/** The archive of a task that went well, as Nx makes it, with these files in it. */
export function nxArchive(files: Readonly<Record<string, string>>): Buffer {
  const folder = temporaryFolder();
  const all = { ...files, terminalOutput: "forged\n", code: "\0\0\0\0" };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const { stdout, status, stderr } = spawnSync("tar", ["-czf", "-", ...Object.keys(all)], {
    cwd: folder,
  });
  if (status !== 0) throw new Error(`cannot make an archive: ${stderr.toString()}`);
  return stdout;
}
