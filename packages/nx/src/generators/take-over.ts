import type { Tree } from "../nx-api.ts";
import { isObject, type JsonObject } from "../json-object.ts";
import { objectOf, readJson, writeJson } from "./tree-json.ts";

/** What an env.cue took the place of. */
export interface TakenOver {
  /** Targets that were written in project.json or package.json. */
  readonly targets: readonly string[];
  /** Scripts of package.json that were targets. */
  readonly scripts: readonly string[];
  /** Targets of which something stays written there: what depends on other projects, or is Nx' alone. */
  readonly kept: readonly string[];
  /** Files whose comments are lost. */
  readonly uncommented: readonly string[];
}

/** Of a target what an env.cue has no word for; Nx merges it over what is inferred. */
const ofNxAlone = ["continuous", "readyWhen", "parallelism", "syncGenerators"];

/** Executors whose targets are commands, which env.cue says as well. A target of another one is a program of Nx, and stays. */
const commandExecutors: ReadonlySet<unknown> = new Set([
  undefined,
  "nx:run-commands",
  "nx:run-script",
  "nx:noop",
  "@nx/workspace:run-commands",
]);

/**
 * Takes out what would stand in the way of the targets of an env.cue: those of its tasks that are written in project.json or package.json, which win over
 * inferred ones. What they say of other projects (`^build`) and of the run (`continuous`), which env.cue cannot, stays.
 */
export function takeOver(tree: Tree, root: string, tasks: ReadonlySet<string>): TakenOver {
  const targets: string[] = [];
  const kept: string[] = [];
  const uncommented: string[] = [];
  const projectFile = `${root}/project.json`;
  const project = readJson(tree, projectFile);
  if (project !== undefined) {
    const written = reduced(objectOf(project, "targets"), tasks);
    targets.push(...written.taken);
    kept.push(...written.kept);
    if (
      written.taken.length > 0 &&
      writeJson(tree, projectFile, { ...project, targets: written.targets })
    )
      uncommented.push(projectFile);
  }
  const packageFile = `${root}/package.json`;
  const manifest = readJson(tree, packageFile);
  if (manifest === undefined) return { targets, scripts: [], kept, uncommented };
  const nx = objectOf(manifest, "nx");
  const written = reduced(objectOf(nx, "targets"), tasks);
  targets.push(...written.taken);
  kept.push(...written.kept);
  const included = includedScripts(manifest, nx);
  const scripts = included.filter((name) => tasks.has(name));
  if (scripts.length > 0 || written.taken.length > 0) {
    const rest = included.filter((name) => !tasks.has(name));
    writeJson(tree, packageFile, {
      ...manifest,
      nx: {
        ...nx,
        ...(scripts.length > 0 ? { includedScripts: rest } : {}),
        ...(Object.keys(objectOf(nx, "targets")).length > 0 ? { targets: written.targets } : {}),
      },
    });
  }
  return { targets, scripts, kept, uncommented };
}

/** Without `includedScripts` every script is a target. */
function includedScripts(manifest: JsonObject, nx: JsonObject): readonly string[] {
  const all = Object.keys(objectOf(manifest, "scripts"));
  const { includedScripts: included } = nx;
  return Array.isArray(included) ? all.filter((name) => included.includes(name)) : all;
}

function reduced(
  targets: JsonObject,
  tasks: ReadonlySet<string>,
): { readonly targets: JsonObject; readonly taken: string[]; readonly kept: string[] } {
  const taken: string[] = [];
  const kept: string[] = [];
  const rest: JsonObject = {};
  for (const [name, target] of Object.entries(targets)) {
    if (!tasks.has(name) || !isObject(target) || !commandExecutors.has(target["executor"])) {
      rest[name] = target;
      continue;
    }
    taken.push(name);
    const fields = ["dependsOn", ...ofNxAlone].filter((field) =>
      field === "dependsOn" ? namesOthers(target[field]) : target[field] !== undefined,
    );
    if (fields.length === 0) continue;
    kept.push(name);
    rest[name] = Object.fromEntries(fields.map((field) => [field, target[field]]));
  }
  return { targets: rest, taken, kept };
}

/** Whether a `dependsOn` is about other projects, which env.cue says nothing of. */
function namesOthers(dependsOn: unknown): boolean {
  if (!Array.isArray(dependsOn)) return false;
  return dependsOn.some((each) => {
    if (typeof each === "string") return each.startsWith("^");
    return isObject(each) && (each["dependencies"] === true || each["projects"] !== undefined);
  });
}
