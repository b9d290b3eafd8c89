import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { findProjectDirectory } from "@cuenv/config";
import { createFileIndex, type FileIndex } from "@cuenv/digest";
import { CuenvError, exitCodes } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { chosenPackage } from "../command-line/given.ts";
import { type InspectedProject, inspectProject } from "../inspect/inspect-project.ts";
import type { InspectedTask } from "../inspect/inspected-task.ts";
import { formatLocation } from "../report/report-error.ts";
import { printOut } from "../report/terminal.ts";
import { visibleText } from "../report/visible-text.ts";
import { cuenvVersion } from "../version.ts";

/** `cuenv inspect [DIR…]`: the tasks of many projects as they are after evaluation, for other tools. */
export async function runInspect(invocation: Invocation): Promise<number> {
  const projects: InspectedProject[] = [];
  const indexes = new Map<string, FileIndex>();
  const indexOf = (root: string): FileIndex => {
    const known = indexes.get(root);
    if (known !== undefined) return known;
    const index = createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
    indexes.set(root, index);
    return index;
  };
  for (const directory of directoriesOf(invocation))
    projects.push(await inspectProject(invocation, resolve(directory), indexOf));
  const isJson = invocation.flags["json"] === true;
  printOut(
    isJson
      ? `${JSON.stringify({ version: 1, cuenv: cuenvVersion(), projects })}\n`
      : projects.map(projectText).join(""),
  );
  const isWrong = projects.some(({ error }) => error !== null);
  // The document has the errors in it: a tool that got one got what it asked for.
  return isWrong && !isJson ? exitCodes.configuration : 0;
}

/** `-` stands for a list on stdin, separated by line breaks or NUL. */
function directoriesOf(invocation: Invocation): readonly string[] {
  const { names } = invocation;
  const asked = chosenPackage(invocation);
  if (names.length === 0)
    return [findProjectDirectory(process.cwd(), { package: asked }) ?? process.cwd()];
  return names.flatMap((name) => (name === "-" ? listed() : [name]));
}

function listed(): readonly string[] {
  try {
    const text = readFileSync(0, "utf8");
    return text.split(text.includes("\0") ? "\0" : "\n").filter((line) => line !== "");
  } catch (cause) {
    throw new CuenvError("USAGE", "cannot read the list of folders: stdin cannot be read", {
      cause,
    });
  }
}

function projectText({ directory, name, tasks, warnings, error }: InspectedProject): string {
  const lines = [
    name === null ? directory : `${directory} (${name})`,
    ...(error === null
      ? []
      : [error, ...(error.others ?? [])].map(
          (each) =>
            `  error: ${placeOf(each)}${each.message} [${each.code}]${each.hint === null ? "" : ` (${each.hint})`}`,
        )),
    ...warnings.map((warning) => `  warning: ${placeOf(warning)}${warning.message}`),
    ...tasks.map(taskText),
  ];
  return `${lines.map(visibleText).join("\n")}\n`;
}

function placeOf(place: {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}): string {
  const { file, line, column } = place;
  if (file === null) return "";
  return `${formatLocation({ file, ...(line === null ? {} : { line }), ...(column === null ? {} : { column }) })}: `;
}

function taskText(task: InspectedTask): string {
  const after = task.dependencies.length > 0 ? `, after ${task.dependencies.join(", ")}` : "";
  if (task.kind !== "command")
    return `  ${task.name}: ${task.kind} of ${task.members.join(", ")}${after}`;
  if (task.refused !== null) return `  ${task.name}: cannot run here: ${task.refused.message}`;
  const files = task.inputs === null ? "all files" : task.inputs.join(" ") || "no files";
  const outputs = task.outputs?.join(" ") || "nothing";
  return task.cache === "off"
    ? `  ${task.name}: not cached${after}`
    : `  ${task.name}: ${files} → ${outputs}${after}`;
}
