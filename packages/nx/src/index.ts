/** The Nx plugin: targets from env.cue, and Nx's own cache shared through cuenv's store. */
export { postTasksExecution, preTasksExecution } from "./bridge/run-hooks.ts";
import { inferProjects } from "./inference/infer-projects.ts";
import type { CreateNodes } from "./nx-api.ts";
import type { PluginOptions } from "./plugin-options.ts";

export type { PluginOptions } from "./plugin-options.ts";

export const name = "@cuenv/nx";

export const createNodes: CreateNodes<PluginOptions> = [
  "**/{env.cue,package.json,project.json}",
  inferProjects,
];
/** The same under the name that Nx 21 and 22 look for. */
export const createNodesV2: CreateNodes<PluginOptions> = [...createNodes];
