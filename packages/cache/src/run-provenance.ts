import { readFileSync, statSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { dirname, resolve } from "node:path";

/** Who made a result, where and of which commit: what is told of a hit later. Not part of any key. */
export function runProvenance(workspaceRoot: string): Readonly<Record<string, string>> {
  const commit = headCommit(workspaceRoot);
  return {
    user: attempt(() => userInfo().username) ?? "unknown",
    host: hostname(),
    ...(commit === undefined ? {} : { commit }),
  };
}

function attempt<Value>(step: () => Value): Value | undefined {
  try {
    return step();
  } catch {
    return undefined;
  }
}

const isCommit = (text: string | undefined): boolean =>
  text !== undefined && /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(text);

/** What HEAD of the repository around a folder is. Reads git's files as gitrepository-layout(5) has them: starting git costs 3 ms. */
function headCommit(folder: string): string | undefined {
  return attempt(() => {
    const git = gitFolder(folder);
    if (git === undefined) return undefined;
    const head = readFileSync(`${git}/HEAD`, "utf8").trim();
    const commit = head.startsWith("ref: ") ? commitOfRef(git, head.slice(5)) : head;
    return isCommit(commit) ? commit : undefined;
  });
}

function gitFolder(folder: string): string | undefined {
  for (let above = folder; ; above = dirname(above)) {
    const path = `${above}/.git`;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) return path;
    // A worktree or a submodule: the file says where the folder is.
    if (stat?.isFile() === true)
      return resolve(above, readFileSync(path, "utf8").replace("gitdir: ", "").trim());
    if (above === dirname(above)) return undefined;
  }
}

function commitOfRef(git: string, ref: string): string | undefined {
  const common = attempt(() => readFileSync(`${git}/commondir`, "utf8").trim());
  for (const folder of common === undefined ? [git] : [git, resolve(git, common)]) {
    const loose = attempt(() => readFileSync(`${folder}/${ref}`, "utf8").trim());
    if (loose !== undefined) return loose;
    const packed = attempt(() => readFileSync(`${folder}/packed-refs`, "utf8")) ?? "";
    const line = packed.split("\n").find((each) => each.endsWith(` ${ref}`));
    if (line !== undefined) return line.split(" ")[0];
  }
  return undefined;
}
