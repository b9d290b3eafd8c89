import { hash } from "node:crypto";
import type { CommandTask } from "@cuenv/config";
import type { OpenProject } from "../project/open-project.ts";

/** Raise it when what a task's process is given changes for the same env.cue. */
const definitionVersion = 1;

/**
 * A digest (SHA-256, hex) of what decides a task's result besides files, the host's variables and what tools print: command, variables that are set, folder,
 * outputs, configuration, operating system and processor. Whoever keeps results under a key of his own puts it into that, and gives it back when he has the task run
 * (CUENV_TASK_DEFINITION): a task that env.cue defines otherwise by then is not run.
 */
export function taskDefinition(open: OpenProject, task: CommandTask): string {
  const { settings } = open.cache;
  const { cache } = task;
  const parts = [
    definitionVersion,
    process.platform,
    process.arch,
    open.projectPath,
    task.name,
    task.action,
    task.parameters.map((parameter) => ({ ...parameter, description: undefined })),
    task.directory,
    { ...open.project.env, ...task.env },
    task.inputs ?? null,
    task.outputs ?? null,
    cache,
    task.timeoutMs ?? null,
    task.retry,
    {
      envInclude: cache.envInclude ?? settings.envInclude,
      envExclude: cache.envExclude ?? settings.envExclude,
      envMode: cache.envMode ?? settings.envMode,
      keyEpoch: cache.keyEpoch ?? settings.keyEpoch,
      runtime: settings.runtime,
      namespace: settings.namespace,
    },
  ];
  return hash("sha256", JSON.stringify(parts), "hex");
}
