import { parseDuration } from "../duration.ts";
import { quoted } from "../evaluated-package.ts";
import { named, type Struct } from "../struct.ts";
import type { CommandTask, EnvironmentValue, TaskAction } from "../task.ts";
import type { Context } from "./context.ts";
import {
  readVariables,
  type UnsupportedVariable,
  type ValueContext,
  type Variable,
  type Variables,
} from "./environment-values.ts";
import { readDirectory, readPatterns } from "./path-fields.ts";
import { findRefusal, refuseForeign, refuseParameters, refuseVariable } from "./refusals.ts";
import { readAction } from "./task-action.ts";
import { readTaskCache } from "./task-cache.ts";
import { taskFields, wrappedGroupFields } from "./task-fields.ts";
import { readParameters } from "./task-parameters.ts";

/** Longest that a timer can wait for: 2³¹ − 1 ms, about 24 days. */
const maximumTimerMs = 2 ** 31 - 1;
const maximumAttempts = 100;
const retryFields: ReadonlySet<string> = new Set(["attempts", "delay"]);

/** A command task, but for what depends on other tasks. */
export interface ReadCommandTask {
  readonly task: Omit<CommandTask, "name" | "dependencies" | "location" | "taskInputs">;
  readonly taskInputs: readonly { readonly task: string; readonly pointer: string }[];
}

export function readCommandTask(
  context: ValueContext,
  struct: Struct,
  name: string,
  projectVariables: Variables,
): ReadCommandTask | undefined {
  const before = context.problems.count;
  struct.refuseUnknown(taskFields);
  // With an unknown field among them, a missing command is most likely that field: one problem is enough.
  const isMisspelt =
    context.problems.count > before && !struct.has("command") && !struct.has("script");
  const action = isMisspelt ? undefined : readAction(context, struct);
  const inputs = readPatterns(context, struct, "inputs");
  const outputs = readPatterns(context, struct, "outputs");
  const { env, refusal } = readEnvironment(context, struct, name, projectVariables);
  const parameters = readParameters(struct);
  const parts = {
    directory: readDirectory(context, struct),
    parameters,
    cache: readTaskCache(context, struct, inputs !== undefined || outputs !== undefined),
    timeoutMs: readDuration(struct, "timeout"),
    retry: readRetry(struct),
    continueOnError: struct.boolean("continueOnError") ?? false,
  };
  const foreign = inputs?.foreign[0];
  const replaced =
    findRefusal(context, struct, name) ??
    (foreign === undefined ? undefined : refuseForeign(name, foreign)) ??
    refuseParameters(struct, name, parameters) ??
    refusal;
  const description = struct.string("description");
  if (action === undefined) return undefined;
  return {
    task: {
      kind: "command",
      ...(description === undefined ? {} : { description }),
      action: replaced ?? action,
      env,
      inputs: inputs?.patterns,
      outputs: outputs?.patterns,
      ...parts,
    },
    taskInputs: inputs?.tasks ?? [],
  };
}

interface TaskEnvironment {
  readonly env: CommandTask["env"];
  readonly refusal: TaskAction | undefined;
}

/** The task's own variables, with those of the project that only some tasks may see and this one may. */
function readEnvironment(
  context: ValueContext,
  struct: Struct,
  name: string,
  projectVariables: Variables,
): TaskEnvironment {
  const data = struct.struct("env")?.data;
  const own =
    data === undefined ? undefined : readVariables(context, data, struct.at("env"), struct.what);
  const visible: [string, Variable | UnsupportedVariable][] = Object.entries(own ?? {});
  for (const [variable, declared] of Object.entries(projectVariables)) {
    if (own !== undefined && Object.hasOwn(own, variable)) continue;
    const { allowedTasks } = declared;
    const isShared = allowedTasks === undefined;
    if (isShared && !("unsupported" in declared)) continue; // it is in the project's variables
    if (isShared || allowedTasks.includes(name)) visible.push([variable, declared]);
  }
  const env: Record<string, EnvironmentValue> = Object.create(null);
  let refusal: TaskAction | undefined;
  for (const [variable, declared] of visible) {
    if ("unsupported" in declared) refusal ??= refuseVariable(name, variable, declared.unsupported);
    else env[variable] = declared.value;
  }
  return { env, refusal };
}

/** Seconds as a number, or a text with a unit. */
function readDuration(struct: Struct, field: string): number | undefined {
  const raw = struct.raw(field);
  if (raw === undefined) return undefined;
  if (typeof raw !== "number" && typeof raw !== "string")
    return struct.wrongType(field, 'a number of seconds or a text such as "30m"');
  const milliseconds = typeof raw === "number" ? Math.round(raw * 1000) : parseDuration(raw);
  const shown = typeof raw === "number" ? String(raw) : quoted(raw);
  if (milliseconds === undefined)
    return struct.wrongValue(
      field,
      `is ${shown}, which is not a duration`,
      "write 500ms, 30s, 5m or 1h30m",
    );
  if (milliseconds > 0 && milliseconds <= maximumTimerMs) return milliseconds;
  return struct.wrongValue(field, `is ${shown}; it must be more than nothing and at most 24d`);
}

function readRetry(struct: Struct): CommandTask["retry"] {
  const retry = struct.struct("retry");
  if (retry === undefined) return { attempts: 1, delayMs: 0 };
  retry.refuseUnknown(retryFields);
  return {
    // cuenv 0.54's default for a `retry` that does not say how often.
    attempts: retry.integer("attempts", { minimum: 1, maximum: maximumAttempts }) ?? 3,
    delayMs: retry.raw("delay") === 0 ? 0 : (readDuration(retry, "delay") ?? 0),
  };
}

/** The fields of a group or sequence that are not members. */
export function readGroupFields(
  context: Context,
  struct: Struct,
): { description?: string; maxConcurrency: number | undefined } {
  const description = struct.string("description");
  const limit = struct.integer("maxConcurrency", { minimum: 0, maximum: 10_000 });
  const mode = struct.string("mode");
  if (mode !== undefined && !["workflow", "parallel", "sequential", "group"].includes(mode))
    struct.wrongValue(
      "mode",
      `is ${quoted(mode)}; the modes are workflow, parallel, sequential, group`,
    );
  if (struct.has("tasks") && struct.raw("type") !== "group") {
    struct.refuseUnknown(wrappedGroupFields);
  } else if (mode !== undefined) {
    const message = `${named("mode")} of a group is deprecated: a struct's tasks run at once, a list's one after the other`;
    context.problems.warn("group mode", struct.at("mode"), message);
  }
  return {
    ...(description === undefined ? {} : { description }),
    // 0 is 0.54's word for no limit.
    maxConcurrency: limit === 0 ? undefined : limit,
  };
}
