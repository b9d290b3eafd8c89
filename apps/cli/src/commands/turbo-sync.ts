import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findWorkspaceRoot } from "@cuenv/config";
import { lineDiff } from "@cuenv/config/migration";
import { CuenvError, exitCodes } from "@cuenv/errors";
import { type SyncNote, syncTurboFiles, type TurboFile } from "@cuenv/turbo/sync";
import type { Invocation } from "../command-line/command.ts";
import { diffLines } from "../report/diff-lines.ts";
import { replaceFile } from "../report/replace-file.ts";
import { formatLocation } from "../report/report-error.ts";
import { painterOf, printErr, printOut } from "../report/terminal.ts";
import { visibleText } from "../report/visible-text.ts";
import { turboFolder } from "../turbo/find-turbo.ts";
import { readSyncWorkspace } from "../turbo/read-sync-workspace.ts";

/** `cuenv turbo sync`: turbo.json says what env.cue says. */
export async function runTurboSync(invocation: Invocation): Promise<number> {
  const { check, "dry-run": dryRun, json, scripts } = invocation.flags;
  const here = process.cwd();
  const root = turboFolder(here) ?? findWorkspaceRoot(here);
  const read = await readSyncWorkspace(invocation, root);
  const { files, notes: found } = syncTurboFiles(
    read.workspace,
    (path) => textOf(join(root, path)),
    { scripts: scripts === true },
  );
  const notes = [...read.notes, ...found];
  const writes = check !== true && dryRun !== true;
  if (writes) for (const { path, after } of files) replaceFile(join(root, path), after);
  const synced = {
    root,
    files,
    notes,
    written: writes && files.length > 0,
    scripts: scripts === true,
  };
  if (json === true) printOut(`${JSON.stringify(documentOf(synced))}\n`);
  else print(synced, writes);
  return check === true && files.length > 0 ? exitCodes.outOfStep : 0;
}

interface Synced {
  readonly root: string;
  readonly files: readonly TurboFile[];
  readonly notes: readonly SyncNote[];
  readonly written: boolean;
  /** Whether the scripts of package.json are looked after, too. */
  readonly scripts: boolean;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new CuenvError("TURBO_FILE", `cannot read ${path}: ${code}`, { cause });
  }
}

function diffOf({ path, before, after }: TurboFile): string {
  return lineDiff(before ?? "", after, path);
}

function print(synced: Synced, writes: boolean): void {
  const { files, notes, root } = synced;
  const paint = painterOf(2);
  for (const { file, line, task, message } of notes) {
    const place = formatLocation({ file: join(root, file), ...(line === null ? {} : { line }) });
    const of = task === null ? "" : `${task}: `;
    printErr(`${paint("yellow", "warning")}: ${visibleText(`${place}: ${of}${message}`)}\n`);
  }
  if (!writes) printOut(diffLines(files.map(diffOf).join("")));
  printOut(`${conclusion(synced)}\n`);
}

function conclusion({ files, written, scripts }: Synced): string {
  if (files.length === 0)
    return scripts
      ? "turbo.json and the scripts are in step with env.cue."
      : "turbo.json is in step with env.cue.";
  const names = files.map(({ path, tasks }) =>
    tasks.length === 0 ? path : `${path} (${tasks.join(", ")})`,
  );
  const list = visibleText(names.join(", "));
  return written
    ? `Wrote ${list}`
    : `Not in step with env.cue: ${list}. cuenv turbo sync${scripts ? " --scripts" : ""} writes what is shown.`;
}

function documentOf({ root, files, notes, written }: Synced): object {
  return {
    version: 1,
    root,
    inStep: files.length === 0,
    written,
    files: files.map((file) => ({
      file: file.path,
      isNew: file.before === undefined,
      tasks: file.tasks,
      diff: diffOf(file),
    })),
    notes,
  };
}
