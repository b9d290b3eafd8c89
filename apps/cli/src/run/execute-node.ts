import {
  type DependencyState,
  type Execute,
  executeTaskWithCache,
  executeWithoutCache,
  type OutputSink,
  type TaskRequest,
  visibleEnvironment,
} from "@cuenv/cache";
import { getTaskCacheMode } from "@cuenv/config";
import {
  type ExecutionContext,
  type ExecutionOutcome,
  interruptExitCode,
  type NodeOutcome,
  type PlanNode,
  type ProcessOutcome,
  runAttempts,
  runProcess,
} from "@cuenv/runner";
import { join } from "node:path";
import { noteForeign } from "../report/fresh-line.ts";
import { maskedSink } from "./masked-sink.ts";
import { holdOutput } from "./hold-output.ts";
import {
  isMeant,
  type Resolved,
  resolveNode,
  type StatesBefore,
  taskRequest,
} from "./resolve-node.ts";
import type { CommandExecution, NodePayload, RunContext } from "./run-context.ts";

type Outcome = ExecutionOutcome<NodePayload>;

/** Runs one task of a plan, or takes its result from the cache. */
export async function executeNode(
  run: RunContext,
  node: PlanNode,
  { dependencies, after: before, signal }: ExecutionContext<NodePayload>,
): Promise<Outcome> {
  const display = run.output.task(node.name);
  const held = run.referenced.has(node.name) ? holdOutput(display) : undefined;
  const output: OutputSink = held?.sink ?? display;
  const replay = isMeant(run.replay, node) ? undefined : (held?.quietly ?? "nowhere");
  try {
    const resolved = await resolveNode(run, node, output, signal);
    const states = [
      ...[...dependencies].map(([name, outcome]) => stateOf(name, outcome)),
      ...node.dependencies.flatMap((name) =>
        dependencies.has(name) ? [] : (run.taken.get(name) ?? []),
      ),
    ];
    const after = [...before].map(([name, outcome]) => stateOf(name, outcome));
    const mode = getTaskCacheMode(run.settings, node.task.cache);
    const cached = run.engine !== undefined && mode !== "off";
    const outcome = cached
      ? await executeCached(run, node, { ...resolved, mode, replay, states, after })
      : await executeUncached(run, node, resolved, { states, after });
    if (held !== undefined)
      run.outputs.set(node.name, { ...held.bytes(), exitCode: outcome.exitCode });
    return outcome;
  } catch (error) {
    // Whatever an interruption broke off (a restore, a probe, a secret's command) is no failure of its own.
    if (!signal.aborted) throw error;
    const exitCode = interruptExitCode(signal.reason);
    return { status: "cancelled", exitCode, durationMs: 0, payload: notRun };
  } finally {
    await display.end();
  }
}

const notRun: NodePayload = { cache: undefined, state: undefined };

/** What a task is to those that depend on it. Of one that could not even be tried nobody knows what it left behind. */
function stateOf(name: string, outcome: NodeOutcome<NodePayload>): DependencyState {
  const state = "payload" in outcome ? outcome.payload.state : undefined;
  const nothing = { key: undefined, outputs: undefined, declaredOutputs: [] };
  return state ?? { task: name, ...nothing, hasFailed: true };
}

async function executeCached(
  run: RunContext,
  node: PlanNode,
  resolved: Resolved & Pick<TaskRequest, "mode" | "replay"> & StatesBefore,
): Promise<Outcome> {
  const { engine } = run;
  if (engine === undefined) throw new TypeError("a cached task needs an engine");
  const request = taskRequest(run, node, resolved);
  const started = process.uptime() * 1000;
  const execute: Execute<CommandExecution> = (process) =>
    runCommand(run, node, {
      ...resolved,
      cwd: process.cwd,
      env: process.env,
      output: process.output,
      onStart: process.onStart,
      // The engine records the output, so it must pass through here.
      direct: false,
    });
  const outcome = await executeTaskWithCache(engine, request, execute, {
    onMiss: (miss) => run.reporter.missed(node, miss),
    onWait: () => run.reporter.waiting(node),
  });
  const payload: NodePayload = { cache: outcome, state: outcome.state };
  if (outcome.kind === "executed") {
    const { process } = outcome.execution;
    if (process.status === "succeeded" && !process.outputComplete) run.reporter.leftBehind(node);
    return { ...process, payload };
  }
  return {
    status: "succeeded",
    exitCode: 0,
    durationMs: process.uptime() * 1000 - started,
    outputComplete: true,
    payload,
  };
}

async function executeUncached(
  run: RunContext,
  node: PlanNode,
  resolved: Resolved,
  { states, after = [] }: StatesBefore,
): Promise<Outcome> {
  const { environment } = resolved;
  run.reporter.uncached(node);
  const { hostEnvironment, settings } = run;
  const variables = environment.values;
  const env =
    run.uncached && node.task.cache.enabled
      ? visibleEnvironment(settings, node.task, { variables, hostEnvironment })
      : { ...hostEnvironment, ...variables };
  const cwd = join(run.open.projectDirectory, node.task.directory);
  const execute = (onStart?: (pid: number) => void): Promise<CommandExecution> =>
    runCommand(run, node, {
      ...resolved,
      cwd,
      env,
      direct: run.direct,
      ...(onStart === undefined ? {} : { onStart }),
    });
  if (run.engine === undefined) {
    const executing = execute();
    // While the process runs there is time for it.
    run.onStarted?.(node, resolved);
    const { process } = await executing;
    return { ...process, payload: notRun };
  }
  const { execution, state } = await executeWithoutCache(
    run.engine,
    node.task,
    states,
    execute,
    after,
  );
  return { ...execution.process, payload: { cache: undefined, state } };
}

async function runCommand(
  run: RunContext,
  node: PlanNode,
  command: Resolved & {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    /** Whether the process writes straight to our own streams. */
    readonly direct: boolean;
    readonly onStart?: (pid: number) => void;
  },
): Promise<CommandExecution> {
  const { cwd, env, signal, argv, onStart } = command;
  const started = process.uptime() * 1000;
  const { retry, timeoutMs } = node.task;
  const once = async (attempt: number): Promise<ProcessOutcome> => {
    // What a failed attempt left behind would go on writing into what the next one makes.
    const endsLeftovers = attempt < retry.attempts;
    const common = { argv, cwd, env, signal, onStart, timeoutMs, endsLeftovers };
    if (command.direct && command.environment.secretNames.size === 0) {
      try {
        return await runProcess({
          ...common,
          stdin: "inherit",
          stdout: "inherit",
          stderr: "inherit",
        });
      } finally {
        noteForeign();
      }
    }
    const masked = maskedSink(run.masker, command.output);
    try {
      return await runProcess({
        ...common,
        stdin: command.direct ? "inherit" : "ignore",
        stdout: masked.sink.stdout,
        stderr: masked.sink.stderr,
      });
    } finally {
      await masked.end();
    }
  };
  const outcome = await runAttempts(once, {
    retry,
    signal,
    onRetry: ({ attempt, outcome: failed }) => run.reporter.retrying(node, attempt, failed),
  });
  if (outcome.status === "notFound" || outcome.status === "notExecutable")
    run.reporter.notStarted(node, outcome);
  return {
    // Output that was cut off (a process left behind) is not the task's whole output: such a run is not stored.
    succeeded: outcome.status === "succeeded" && outcome.outputComplete,
    exitCode: outcome.exitCode,
    durationMs: process.uptime() * 1000 - started,
    process: outcome,
  };
}
