import { hash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { usableWorkspaceState } from "@cuenv/cache";
import type { KeyInputs } from "@cuenv/cache/explanation";
import { readMemoFile, replaceFile } from "@cuenv/digest";
import type { OpenProject } from "../project/open-project.ts";

/** What the key of a task was made of in a run of Nx. */
export interface NotedInputs {
  /** Nx' own. */
  readonly hash: string;
  /** ISO 8601. */
  readonly at: string;
  readonly keyInputs: KeyInputs;
}

/** So many runs of a task are kept, each with another hash. */
const maxNoted = 5;

/** More than the notes of any task have (64 MiB). */
const maxNotesBytes = 64 * 1024 * 1024;

/** The newest first; none where nothing is known. */
export function readNotedInputs(open: OpenProject, task: string): readonly NotedInputs[] {
  const file = notesFile(open, task, false);
  try {
    const notes = JSON.parse(readMemoFile(file ?? "", maxNotesBytes)?.toString("utf8") ?? "") as {
      runs: readonly NotedInputs[];
    };
    return notes.runs;
  } catch {
    return [];
  }
}

/** Never throws: without it, `cuenv nx why` knows less. */
export function writeNotedInputs(open: OpenProject, task: string, noted: NotedInputs): void {
  const file = notesFile(open, task, true);
  if (file === undefined) return;
  const others = readNotedInputs(open, task).filter((run) => run.hash !== noted.hash);
  const runs = [noted, ...others].slice(0, maxNoted);
  replaceFile(file, JSON.stringify({ version: 1, runs }));
}

function notesFile(open: OpenProject, task: string, writes: boolean): string | undefined {
  const { settings } = open.cache;
  const folder = usableWorkspaceState(settings.cacheDir, open.workspaceRoot, writes)?.nxRuns;
  if (folder === undefined) return undefined;
  try {
    if (writes) mkdirSync(folder, { recursive: true });
  } catch {
    return undefined;
  }
  const id = hash("sha256", JSON.stringify([open.projectPath, task]), "hex");
  return `${folder}/${id.slice(0, 32)}.json`;
}
