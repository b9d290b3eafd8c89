import type { DraftNote, TaskDraft } from "./draft.ts";
import { objectOf } from "./json-file.ts";
import { type PackageFiles, runScript } from "./package-files.ts";

/** A script of package.json as a task's command. */
export interface DraftedScript {
  readonly name: string;
  readonly task: TaskDraft;
}

/** What npm and its kin run by themselves, when something is installed, packed or published. */
const lifecycle: ReadonlySet<string> = new Set([
  "install",
  "preinstall",
  "postinstall",
  "prepare",
  "prepublish",
  "prepublishOnly",
  "prepack",
  "postpack",
  "publish",
  "postpublish",
  "preversion",
  "version",
  "postversion",
  "dependencies",
]);

/** The scripts as commands, without a word on what they read and write. */
export function draftScripts(files: PackageFiles): {
  readonly scripts: readonly DraftedScript[];
  readonly notes: readonly DraftNote[];
} {
  const notes: DraftNote[] = [];
  const all = Object.entries(objectOf(files.manifest, "scripts")).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  const names = new Set(all.map(([name]) => name));
  const left: string[] = [];
  const scripts = all.flatMap(([name, text]): DraftedScript[] => {
    if (text.trim() === "") return [];
    if (lifecycle.has(name)) {
      left.push(name);
      return [];
    }
    if (isHook(name, names)) return [];
    if (/\bcuenv\s+(?:task|run|t)\b/.test(text)) {
      notes.push({
        task: name,
        message: "left out: it runs cuenv itself; it can stay in package.json",
      });
      return [];
    }
    const { command, note } = commandOf(files, name, text, names);
    if (note !== undefined) notes.push({ task: name, message: note });
    return [{ name, task: { command, dependencies: [] } }];
  });
  if (left.length > 0) {
    const message = `left out: ${left.join(", ")}, which ${files.manager} runs by itself`;
    notes.push({ task: undefined, message });
  }
  return { scripts, notes };
}

/** `prebuild` where there is a `build`. */
function isHook(name: string, names: ReadonlySet<string>): boolean {
  const of = /^(?:pre|post)(?<script>.+)$/.exec(name)?.groups?.["script"];
  return of !== undefined && names.has(of);
}

function commandOf(
  files: PackageFiles,
  name: string,
  text: string,
  names: ReadonlySet<string>,
): { readonly command: string; readonly note: string | undefined } {
  const hooks = [`pre${name}`, `post${name}`].filter((hook) => names.has(hook));
  const { manager } = files;
  const command = runScript(manager, name);
  if (hooks.length > 0)
    return { command, note: `runs ${hooks.join(" and ")} too, so it goes through ${manager}` };
  if (/[$%{](?:npm_|INIT_CWD)/.test(text))
    return { command, note: `uses variables that only ${manager} sets, so it goes through it` };
  return { command: text, note: undefined };
}
