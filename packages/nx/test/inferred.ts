import type { Target } from "../src/nx-api.ts";
import type { PluginOptions } from "../src/plugin-options.ts";
import type {
  InspectedCommand,
  InspectedProject,
  InspectedTask,
} from "../src/inference/inspection.ts";
import { projectNodes, type Workspace } from "../src/inference/project-nodes.ts";
import { command, project } from "./inspected.ts";

export const workspace: Workspace = {
  root: "/ws",
  options: {},
  nxJson: {},
  knowsIncludeIgnored: true,
  knowsRest: true,
  hasNested: () => false,
  isNamed: () => false,
  writtenIn: () => ({ name: undefined, of: () => [] }),
};

/** What is inferred of the project at /ws/packages/app. */
export function targets(
  tasks: readonly InspectedTask[],
  options: PluginOptions = {},
  more: Partial<Workspace> = {},
  fields: Partial<InspectedProject> = {},
): Readonly<Record<string, Target>> {
  return projectNodes({ ...workspace, options, ...more }, project(tasks, fields)).targets;
}

export const gen: InspectedCommand = command("gen", { inputs: ["schema"], outputs: ["gen"] });
export const lint: InspectedCommand = command("lint", {
  inputs: ["rules.json"],
  runtime: ["eslint --version"],
});
