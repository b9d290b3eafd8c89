import { join } from "node:path";
import type { World } from "./build-model.ts";
import type { Random } from "./random.ts";

/** Where the variables of a project are: beside its tasks, in a file beside that, in one of the same package above, in a package that is imported. */
export type Layout = "together" | "beside" | "above" | "imported";

/** What lies above the project, and what is imported, is found in a module only. */
export function randomLayout(random: Random, { place }: Pick<World, "place">): Layout {
  return place === ""
    ? random.pick(["together", "beside"])
    : random.pick(["together", "beside", "above", "imported"]);
}

/** What makes the folder a workspace, if the project is not all of it. */
export function workspaceFiles({ place }: World): ReadonlyMap<string, string> {
  if (place === "") return new Map();
  const module = 'module: "random.test/builds@v0"\nlanguage: version: "v0.14.0"\n';
  return new Map([["cue.mod/module.cue", module]]);
}

export function definitionFiles(
  { place, layout }: World,
  variables: string,
  tasks: string,
): ReadonlyMap<string, string> {
  const own = join(place, "env.cue");
  const clause = "package cuenv\n\n";
  const env = `env: ${variables}\n`;
  switch (layout) {
    case "together":
      return new Map([[own, clause + env + tasks]]);
    case "beside":
      return new Map([
        [own, clause + tasks],
        [join(place, "values.cue"), clause + env],
      ]);
    case "above":
      return new Map([
        [own, clause + tasks],
        ["values.cue", clause + env],
      ]);
    case "imported":
      return new Map([
        [own, `${clause}import "random.test/builds/shared"\n\nenv: shared.env\n${tasks}`],
        ["shared/values.cue", `package shared\n\n${env}`],
      ]);
  }
}
