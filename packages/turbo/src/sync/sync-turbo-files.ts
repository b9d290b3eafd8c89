import { posix } from "node:path";
import { CuenvError } from "@cuenv/errors";
import { textProblem, valueAt } from "./json-text.ts";
import {
  manifestPath,
  type MissingScript,
  missingScriptNotes,
  withScripts,
  writableScripts,
} from "./missing-scripts.ts";
import { planTasks } from "./plan-tasks.ts";
import { type SyncedFile, syncPackageFile, syncRootFile } from "./sync-file.ts";
import type { SyncNote, SyncPackage, SyncWorkspace } from "./sync-workspace.ts";

export interface TurboFile {
  /** From turbo's root. */
  readonly path: string;
  /** Undefined: there is none. */
  readonly before: string | undefined;
  readonly after: string;
  /** Tasks that were not what they should be, by the keys that they have in the file. */
  readonly tasks: readonly string[];
}

export interface SyncOptions {
  /** Whether package.json files get the scripts that turbo needs for the tasks. */
  readonly scripts?: boolean | undefined;
}

type ReadText = (path: string) => string | undefined;

export interface SyncResult {
  /** Those that must be written; none: all is in step. */
  readonly files: readonly TurboFile[];
  readonly notes: readonly SyncNote[];
}

/**
 * What the turbo.json files of a workspace have to say for turbo to run and keep what env.cue says. Nothing is written.
 * @param read the text of a file, by its path from turbo's root; undefined where there is none
 * @throws {CuenvError} TURBO_FILE for one that is not turbo's
 */
export function syncTurboFiles(
  workspace: SyncWorkspace,
  read: ReadText,
  { scripts = false }: SyncOptions = {},
): SyncResult {
  const root = turboFile("", read);
  const known = root.text === undefined ? undefined : valueAt(root.text, ["tasks"]);
  const keys = typeof known === "object" && known !== null ? Object.keys(known) : [];
  const plan = planTasks(workspace, new Set(keys));
  const files: TurboFile[] = [];
  const notes: SyncNote[] = [...plan.notes];
  const add = (file: { path: string; text: string | undefined }, made: SyncedFile): void => {
    for (const task of made.left)
      notes.push({
        file: file.path,
        line: null,
        task,
        message: "env.cue has it no more; what else is said of it stays",
      });
    if (made.text !== file.text)
      files.push({ path: file.path, before: file.text, after: made.text, tasks: made.changed });
  };
  const rootFile = syncRootFile(root.text, plan.root);
  add(root, rootFile);
  for (const { path } of [...workspace.packages, ...workspace.others]) {
    if (path === "") continue;
    const file = turboFile(path, read);
    const made = syncPackageFile(file.text, plan.packages.get(path) ?? new Map(), rootFile.text);
    if (made !== undefined) add(file, made);
  }
  const added = scripts ? writableScripts(plan.missing) : [];
  for (const owner of new Set(added.map((script) => script.owner)))
    files.push(manifestWith(owner, added, read));
  notes.push(...missingScriptNotes(plan.missing, added));
  return { files, notes };
}

function manifestWith(
  owner: SyncPackage,
  added: readonly MissingScript[],
  read: ReadText,
): TurboFile {
  const path = manifestPath(owner.path);
  const before = (read(path) ?? "{}\n").replace(/^\uFEFF/, "");
  assertJson(path, before, "It has no comments.");
  const own = added.filter((script) => script.owner === owner);
  const after = withScripts(before, own);
  return { path, before, after, tasks: own.map(({ name }) => name) };
}

function turboFile(
  folder: string,
  read: (path: string) => string | undefined,
): { readonly path: string; readonly text: string | undefined } {
  for (const name of ["turbo.json", "turbo.jsonc"]) {
    const path = posix.join(folder, name);
    const text = read(path);
    if (text === undefined) continue;
    const bare = text.replace(/^\uFEFF/, "");
    assertTurboFile(path, bare);
    return { path, text: bare };
  }
  return { path: posix.join(folder, "turbo.json"), text: undefined };
}

function assertJson(path: string, text: string, hint: string): void {
  const problem = textProblem(text);
  if (problem === undefined) return;
  const lines = text.slice(0, problem.offset).split("\n");
  const location = { file: path, line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
  throw new CuenvError("TURBO_FILE", `cannot bring ${path} in step: it is not valid JSON`, {
    location,
    hint,
  });
}

function assertTurboFile(path: string, text: string): void {
  assertJson(path, text, "Comments and commas at the end of lists may be in it.");
  if (valueAt(text, ["pipeline"]) !== undefined)
    throw new CuenvError("TURBO_FILE", `cannot bring ${path} in step: it has \`pipeline\``, {
      location: { file: path },
      hint: "That is turbo 1's; since turbo 2 it is called `tasks`: npx @turbo/codemod migrate",
    });
  const tasks = valueAt(text, ["tasks"]);
  if (tasks !== undefined && (typeof tasks !== "object" || tasks === null || Array.isArray(tasks)))
    throw new CuenvError("TURBO_FILE", `cannot bring ${path} in step: its tasks are no object`, {
      location: { file: path },
    });
}
