import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { cuenvLauncher } from "../../cuenv-command.ts";
import type { ExecutorContext } from "../../nx-api.ts";
import type { Mode } from "../../plugin-options.ts";

/** schema/task-executor.schema.json */
export interface TaskOptions {
  /** The task of env.cue; default: the target's name. */
  readonly task?: string;
  /** Who keeps its result; default: nx-native. */
  readonly mode?: Mode;
  readonly environment?: string;
  /** For the task, as after `--`. */
  readonly args?: readonly string[];
  /** What stood on the command line of Nx. */
  readonly __unparsed__?: readonly string[];
}

/**
 * `@cuenv/nx:task`: runs a task of the project's env.cue, without what it depends on, which Nx ran. In mode nx-native Nx keeps the result; in mode cuenv
 * the result is looked up, restored and stored by cuenv, and the target must not be cached by Nx as well.
 */
export default async function runTask(
  options: TaskOptions,
  context: ExecutorContext,
): Promise<{ readonly success: boolean }> {
  const { mode = "nx-native", task = context.targetName ?? "", args = [] } = options;
  const isCachedByNx = context.target?.cache === true;
  if (mode === "cuenv" && isCachedByNx) {
    process.stderr.write(
      `error: cannot run ${task}: both Nx and cuenv would keep its result\nhint: Set "cache": false on the target, or take "mode": "cuenv" out of its options.\n`,
    );
    return { success: false };
  }
  const { environment } = options;
  const code = await attached([
    "task",
    task,
    "--only",
    // What runs until it is ended has no result: a hit would end it at once.
    ...(mode === "nx-native" || context.target?.continuous === true ? ["--uncached"] : []),
    ...(environment === undefined ? [] : ["--env", environment]),
    "-C",
    join(context.root, projectRoot(context)),
    "--",
    ...args,
    ...(options.__unparsed__ ?? []),
  ]);
  return { success: code === 0 };
}

function projectRoot({ projectName = "", projectsConfigurations }: ExecutorContext): string {
  return projectsConfigurations?.projects[projectName]?.root ?? ".";
}

/** cuenv with our own streams, to its end; signals are passed on, so that it ends its task. */
function attached(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [cuenvLauncher(), ...args], { stdio: "inherit" });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of signals) process.on(signal, pass);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      for (const each of signals) process.off(each, pass);
      resolve(code ?? 128 + constants.signals[signal ?? "SIGTERM"]);
    });
  });
}
