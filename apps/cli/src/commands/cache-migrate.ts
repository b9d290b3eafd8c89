import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { chosenEnvironment, chosenPackage } from "../command-line/given.ts";
import { ask, canAsk } from "../configuration/ask.ts";
import { checkMigration } from "../configuration/check-migration.ts";
import { type FileMigration, planMigration } from "../configuration/plan-migration.ts";
import { readConfiguration, throwIfWrong } from "../configuration/read-configuration.ts";
import { writeMigration } from "../configuration/write-migration.ts";
import { diffLines } from "../report/diff-lines.ts";
import { formatLocation } from "../report/report-error.ts";
import { painterOf, printErr, printOut } from "../report/terminal.ts";

/** `cuenv cache migrate`: deprecated forms become what is written today, where they stand. */
export async function runCacheMigrate(invocation: Invocation): Promise<number> {
  const { "dry-run": dryRun, json, yes } = invocation.flags;
  if (dryRun === true && yes === true)
    throw new CuenvError("USAGE", "cannot migrate: --dry-run and --yes exclude each other");
  const configuration = await readConfiguration(invocation);
  throwIfWrong(configuration);
  const files = planMigration(configuration);
  const changes = files.filter(({ before, after }) => before !== after);
  const { evaluated, project, projectDirectory, workspaceRoot } = configuration;
  if (
    changes.length > 0 &&
    evaluated !== undefined &&
    project !== undefined &&
    projectDirectory !== undefined
  )
    await checkMigration({
      evaluated,
      project,
      projectDirectory,
      workspaceRoot,
      packageName: chosenPackage(invocation),
      environment: chosenEnvironment(invocation),
      changes,
    });
  const say = json === true ? (): void => {} : printOut;
  say(diffLines(changes.map(({ diff }) => diff).join("")));
  if (json !== true) printLeft(files);
  const written =
    changes.length > 0 && dryRun !== true && (await mayWrite(changes, yes === true, json === true));
  if (written) writeMigration(changes);
  if (json === true) printOut(`${JSON.stringify(migrationDocument(files, written))}\n`);
  else printOut(conclusion(files, changes, written));
  return 0;
}

/** @throws {CuenvError} USAGE when there is nobody to ask */
async function mayWrite(
  changes: readonly FileMigration[],
  yes: boolean,
  json: boolean,
): Promise<boolean> {
  if (yes) return true;
  if (!json && canAsk()) return ask(`Write ${countOf(changes.length, "file")}?`);
  const reason = json ? "with --json nobody is asked" : "there is no terminal to ask on";
  throw new CuenvError("USAGE", `cannot write ${countOf(changes.length, "file")}: ${reason}`, {
    hint: "nothing was written; --yes writes without asking, --dry-run only shows the changes",
  });
}

function printLeft(files: readonly FileMigration[]): void {
  const paint = painterOf(2);
  for (const { path: file, left } of files)
    for (const { line, column, form, reason } of left)
      printErr(
        `${paint("yellow", "warning")}: ${formatLocation({ file, line, column })}: cannot rewrite \`${form}\`: ${reason}; change it by hand\n`,
      );
}

function conclusion(
  files: readonly FileMigration[],
  changes: readonly FileMigration[],
  written: boolean,
): string {
  if (files.length === 0) return "There is nothing to migrate.\n";
  if (changes.length === 0) return "Nothing could be rewritten.\n";
  const names = changes.map(({ path }) => formatLocation({ file: path })).join(", ");
  return written ? `Wrote ${names}\n` : `Nothing was written. To be changed: ${names}\n`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function migrationDocument(files: readonly FileMigration[], written: boolean): object {
  const rows = files.map(({ path: file, diff, migrated, left, before, after }) => ({
    file,
    written: written && before !== after,
    migrated,
    left,
    diff,
  }));
  return { version: 1, written, files: rows };
}
