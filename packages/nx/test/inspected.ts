import type {
  InspectedCommand,
  InspectedProject,
  InspectedTask,
} from "../src/inference/inspection.ts";

/** A cached command that reads and makes nothing, but for what is said. */
export function command(name: string, fields: Partial<InspectedCommand> = {}): InspectedCommand {
  return {
    kind: "command",
    name,
    description: null,
    dependencies: fields.commands ?? [],
    definition: `definition of ${name}`,
    commands: [],
    printedBy: [],
    refused: null,
    directory: "",
    inputs: [],
    extraInputs: [],
    ignoreInputs: [],
    ignoredInputs: [],
    outputs: null,
    hasCacheKey: false,
    cache: "read-write",
    declaredCache: fields.cache ?? "read-write",
    maxAgeMs: null,
    environment: { host: [], secrets: [], include: [], exclude: [] },
    runtime: [],
    parameters: [],
    ...fields,
  };
}

/** The project at /ws/packages/app. */
export function project(
  tasks: readonly InspectedTask[],
  fields: Partial<InspectedProject> = {},
): InspectedProject {
  return {
    directory: "/ws/packages/app",
    workspaceRoot: "/ws",
    name: null,
    tasks,
    environment: null,
    environments: [],
    read: [],
    error: null,
    ...fields,
  };
}
