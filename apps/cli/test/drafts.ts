import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Draft, DraftTask } from "../src/init/draft.ts";
import { type DraftOrigin, makeDraft } from "../src/init/make-draft.ts";

/** Files as JSON, or as text. */
export function draft(
  files: Readonly<Record<string, unknown>>,
  directory = ".",
  from?: DraftOrigin,
): Draft {
  const root = mkdtempSync(join(tmpdir(), "init-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(
      join(root, name),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  }
  return makeDraft(join(root, directory), from);
}

export function task({ tasks }: Draft, name: string): DraftTask["fields"] {
  const found = tasks.find((each) => each.name === name);
  if (found === undefined)
    throw new Error(`${name} is not in ${tasks.map((each) => each.name).join()}`);
  return found.fields;
}

export function notesOf({ notes }: Draft, name?: string): string {
  return notes.flatMap((note) => (note.task === name ? [note.message] : [])).join("\n");
}
