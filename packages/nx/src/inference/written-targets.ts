import { readFileSync } from "node:fs";
import { withoutComments } from "../json-comments.ts";
import { isObject } from "../json-object.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What is said of a target where it wins over what is inferred. */
export interface WrittenTarget {
  /** For people: `packages/app/project.json: targets["build"]`. */
  readonly place: string;
  readonly fields: Fields;
}

export interface WrittenTargets {
  /** The project's. */
  readonly name: string | undefined;
  /** What is said of a target. */
  of(name: string): readonly WrittenTarget[];
}

export const nothingWritten: WrittenTargets = { name: undefined, of: () => [] };

/**
 * What the project.json and the package.json of a folder say of targets that are inferred. One that names a program of its own is no inferred one. A file
 * that cannot be read says nothing here: Nx complains of it itself.
 */
export function writtenTargets(workspaceRoot: string, root: string): WrittenTargets {
  const path = (file: string): string => (root === "." ? file : `${root}/${file}`);
  const project = readObject(`${workspaceRoot}/${path("project.json")}`);
  const manifest = readObject(`${workspaceRoot}/${path("package.json")}`);
  const sources = [
    { place: `${path("project.json")}: targets`, targets: fieldOf(project, "targets") },
    {
      place: `${path("package.json")}: nx.targets`,
      targets: fieldOf(fieldOf(manifest, "nx"), "targets"),
    },
  ];
  const names = [project, fieldOf(manifest, "nx"), manifest].map((each) => fieldOf(each, "name"));
  return {
    name: names.find((name) => typeof name === "string"),
    of: (name) =>
      sources.flatMap(({ place, targets }) => {
        const fields = fieldOf(targets, name);
        if (!isObject(fields) || "executor" in fields || "command" in fields) return [];
        return [{ place: `${place}[${JSON.stringify(name)}]`, fields }];
      }),
  };
}

function readObject(file: string): unknown {
  try {
    return JSON.parse(withoutComments(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
