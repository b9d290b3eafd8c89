import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { cuenvLauncher } from "../cuenv-command.ts";
import type { Tree } from "../nx-api.ts";
import { takeOver } from "./take-over.ts";

interface Draft {
  readonly text: string;
  readonly sources: readonly string[];
  readonly tasks: readonly { readonly name: string; readonly cached: boolean }[];
  readonly notes: readonly { readonly task: string | null; readonly message: string }[];
}

/**
 * Writes the env.cue of a project from its targets and scripts, as `cuenv init` does, and takes these out of where they were written. Gives what was done,
 * for people.
 * @throws {Error} when there is an env.cue, or nothing to make one of
 */
export function writeEnvFile(tree: Tree, root: string): string {
  const path = `${root}/env.cue`;
  if (tree.exists(path)) throw new Error(`cannot write ${path}: it is there already`);
  const draft = makeDraft(join(tree.root, root));
  tree.write(path, draft.text);
  const taken = takeOver(tree, root, new Set(draft.tasks.map(({ name }) => name)));
  const cached = draft.tasks.filter((task) => task.cached).length;
  const lines = [
    `Wrote ${path}, from ${draft.sources.join(", ")}: ${draft.tasks.length} ${draft.tasks.length === 1 ? "task" : "tasks"}, ${cached} of them cached.`,
    ...(taken.targets.length > 0
      ? [
          `Nx infers these targets from it now, so they are no longer written: ${taken.targets.join(", ")}.`,
        ]
      : []),
    ...(taken.kept.length > 0
      ? [
          `What they say that an env.cue cannot, of other projects for one, stays where it was: ${taken.kept.join(", ")}.`,
        ]
      : []),
    ...(taken.scripts.length > 0
      ? [
          `These scripts of package.json stay, and are no targets of their own any more: ${taken.scripts.join(", ")}.`,
        ]
      : []),
    ...taken.uncommented.map((file) => `Comments in ${file} are not kept.`),
    ...(draft.notes.length > 0 ? ["Not as it was, or to be looked at:"] : []),
    ...draft.notes.map(({ task, message }) => `  ${task === null ? "" : `${task}: `}${message}`),
  ];
  return lines.join("\n");
}

function makeDraft(directory: string): Draft {
  const args = [cuenvLauncher(), "init", "--from", "nx", "--print", "--json"];
  const { stdout, stderr, error } = spawnSync(process.execPath, args, {
    cwd: directory,
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  try {
    const answer = JSON.parse(stdout) as Draft & { readonly error?: { readonly message: string } };
    if (answer.error === undefined) return answer;
    throw new Error(answer.error.message);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new Error(stderr || stdout, { cause });
    throw cause;
  }
}
