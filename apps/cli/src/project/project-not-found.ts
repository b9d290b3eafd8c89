import { foldersAbove } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { join, relative } from "node:path";
import { startDirectory } from "../command-line/change-directory.ts";
import { projectsBelow } from "./projects-below.ts";

/** @param directory absolute: the only folder that was looked at; undefined: the current one, and those above it */
export function projectNotFound(directory: string | undefined): CuenvError {
  const top = directory ?? process.cwd();
  const place = directory ?? `${top} or a folder above it`;
  const broken = brokenFile(directory === undefined ? foldersAbove(top) : [top]);
  const reason = broken === undefined ? "" : `: ${broken}`;
  const below = projectsBelow(top).map((path) =>
    relative(startDirectory ?? process.cwd(), join(top, path)),
  );
  const hint =
    below.length === 0
      ? 'cuenv init writes one from package.json, turbo.json or nx.json. Or: tasks: hello: {command: "echo hello"}'
      : `There is one in ${below.join(", ")}: cuenv task -C ${below[0]} runs as if started there.`;
  return new CuenvError("PROJECT_NOT_FOUND", `cannot find an env.cue in ${place}${reason}`, {
    hint: broken === undefined ? hint : "Correct or remove it.",
  });
}

/** What is wrong with the first thing of that name, for nobody else says it. */
function brokenFile(folders: Iterable<string>): string | undefined {
  for (const folder of folders) {
    const path = join(folder, "env.cue");
    const found = lstatOrUndefined(path);
    if (found?.isSymbolicLink() === true)
      return `${path} is a link to ${JSON.stringify(readlinkSync(path))}, where no file is`;
    if (found !== undefined) return `${path} is no file`;
  }
  return undefined;
}

function lstatOrUndefined(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
