import { valueAt, withValue } from "./json-text.ts";
import type { SyncNote, SyncPackage } from "./sync-workspace.ts";

/** A script that turbo needs for a task, and that package.json does not have. */
export interface MissingScript {
  readonly owner: SyncPackage;
  readonly name: string;
  readonly line: string;
}

/** Package managers run these by themselves, when they install, pack or publish: only who knows that may want one. */
const ranByThemselves =
  /^(?:pre|post)?(?:install|uninstall|prepare|pack|publish|version|restart|start|stop|test)$/;
const ranWhenAsked = new Set(["start", "stop", "restart", "test", "pack", "version"]);

/** Whether somebody else runs a script of this name, too. `prebuild` and `postbuild` run with `build`. */
function isHook({ name, owner }: MissingScript, all: readonly MissingScript[]): boolean {
  if (/^(?:dependencies|prepublishOnly)$/.test(name)) return true;
  if (ranByThemselves.test(name)) return !ranWhenAsked.has(name);
  const whole = /^(?:pre|post)(.+)$/.exec(name)?.[1];
  if (whole === undefined) return false;
  const isMissing = all.some((each) => each.owner === owner && each.name === whole);
  return isMissing || Object.hasOwn(owner.scripts, whole);
}

/** Those that can be written without anything running that did not before. */
export function writableScripts(missing: readonly MissingScript[]): readonly MissingScript[] {
  return missing.filter((script) => !isHook(script, missing));
}

/** One word for each script: in which packages turbo passes over the task without it, and what to add. */
export function missingScriptNotes(
  missing: readonly MissingScript[],
  added: readonly MissingScript[],
): readonly SyncNote[] {
  const groups = new Map<string, MissingScript[]>();
  for (const script of missing) {
    if (added.includes(script)) continue;
    const key = JSON.stringify([script.name, script.line, isHook(script, missing)]);
    groups.set(key, [...(groups.get(key) ?? []), script]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { name, line, owner } = first;
    const names = group.map((each) => (each.owner.path === "" ? "the root" : each.owner.name));
    const where = names.length > 1 ? ` in ${names.join(", ")}` : "";
    const how = isHook(first, missing)
      ? "; package managers run one of this name by themselves, too, so that --scripts does not add it"
      : ", which cuenv turbo sync --scripts adds";
    return {
      file: manifestPath(owner.path),
      line: null,
      task: name,
      message: `there is no such script${where}, so turbo has nothing to run there: ${JSON.stringify(name)}: ${JSON.stringify(line)}${how}`,
    };
  });
}

/** A package.json with these scripts, too. */
export function withScripts(text: string, scripts: readonly MissingScript[]): string {
  let next = text;
  const isObject = typeof (valueAt(text, ["scripts"]) ?? {}) === "object";
  if (!isObject) return text;
  for (const { name, line } of scripts) next = withValue(next, ["scripts", name], line);
  return next;
}

export function manifestPath(folder: string): string {
  return folder === "" ? "package.json" : `${folder}/package.json`;
}
