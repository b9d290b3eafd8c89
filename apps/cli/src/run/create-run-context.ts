import { openCacheEngine, type OpenedCacheEngine } from "@cuenv/cache";
import type { EnvironmentValue, Project } from "@cuenv/config";
import {
  createDescriptorSink,
  createMasker,
  createOutput,
  createSecretResolver,
  type OutputMode,
  type Plan,
} from "@cuenv/runner";
import type { OpenProject } from "../project/open-project.ts";
import { noting } from "../report/fresh-line.ts";
import { isTerminal } from "../report/is-terminal.ts";
import { colorsAllowed, flushErr } from "../report/terminal.ts";
import { buildId } from "../build-id.ts";
import { cuenvVersion } from "../version.ts";
import { hostEnvironment, keyedEnvironment } from "./host-environment.ts";
import { remoteOptions } from "./remote-options.ts";
import type { RunContext, TaskScope } from "./run-context.ts";
import type { RunReporter } from "./run-reporter.ts";

export interface RunContextOptions {
  readonly open: OpenProject;
  readonly plan: Plan;
  readonly force: boolean;
  /** Default: all. */
  readonly download?: TaskScope | undefined;
  /** Default: all. */
  readonly replay?: TaskScope | undefined;
  /** Nothing is looked up or stored, and tasks that would be cached see what they see then. */
  readonly uncached?: boolean;
  readonly json: boolean;
  readonly outputMode: OutputMode | undefined;
  /** What tasks print is dropped, and of what people are told only warnings, errors and failures are left. */
  readonly quiet?: boolean;
  /** Told, once, that stdout takes nothing any more, though somebody wants it. */
  readonly onOutputLost?: (error: Error) => void;
  /** No task has our own streams, were it the only one: somebody else must be able to end it, and to write between its lines. */
  readonly detached?: boolean;
}

/** Whoever looks only gives `writes: false`. */
export function openCache(
  open: OpenProject,
  writes: boolean,
  reporter: RunReporter,
): OpenedCacheEngine {
  return openCacheEngine({
    settings: open.cache.settings,
    trust: open.trust,
    workspaceRoot: open.workspaceRoot,
    projectPath: open.projectPath,
    version: cuenvVersion(),
    build: buildId,
    readOnly: !writes,
    remote: remoteOptions(open.cache.settings),
    onEvent: (event) => reporter.cacheEvent(event),
  });
}

/** What `options` say of a run, and what all its tasks share. */
export function createRunContext(
  options: RunContextOptions,
  cache: OpenedCacheEngine | undefined,
  reporter: RunReporter,
  signal: AbortSignal,
): RunContext {
  const { open, plan, json } = options;
  const onClosed = (error: unknown): void => {
    if (error instanceof Error && !hasGone(error)) options.onOutputLost?.(error);
  };
  const stderr = options.quiet ? { write: () => {} } : noting(2, createDescriptorSink(2), flushErr);
  const stdout = json ? stderr : noting(1, createDescriptorSink(1, { onClosed }), flushErr);
  const mode = options.outputMode ?? defaultMode(plan);
  const host = hostEnvironment(open);
  return {
    open,
    settings: open.cache.settings,
    engine: cache?.engine,
    hostEnvironment: host,
    keyedEnvironment: keyedEnvironment(),
    force: options.force,
    download: options.download ?? "all",
    replay: options.replay ?? "all",
    uncached: options.uncached ?? false,
    taken: new Map(),
    output: createOutput({
      mode,
      stdout,
      stderr,
      colors: colorsAllowed(process.env, !json && isTerminal(1)),
      names: plan.nodes.map((node) => node.name),
      github: process.env["GITHUB_ACTIONS"] === "true",
    }),
    direct: plan.nodes.length === 1 && mode === "raw" && !json && options.detached !== true,
    masker: createMasker(),
    resolveSecret: createSecretResolver({
      cwd: open.projectDirectory,
      env: host,
      signal,
    }),
    outputs: new Map(),
    referenced: referencedTasks(open.project),
    reporter,
  };
}

/** A reader that went away (`| head`) and a terminal that was closed want nothing any more. */
function hasGone(error: Error): boolean {
  return "code" in error && (error.code === "EPIPE" || error.code === "EIO");
}

/** One task has its streams to itself; of several, lines carry the name, but in CI each task's output stands together. */
function defaultMode(plan: Plan): OutputMode {
  if (plan.nodes.length === 1) return "raw";
  const { CI: ci } = process.env;
  return ci !== undefined && ci !== "" && ci !== "false" ? "grouped" : "prefixed";
}

/** The tasks whose output others use as arguments or variables. */
function referencedTasks(project: Project): ReadonlySet<string> {
  const names = new Set<string>();
  const addFrom = (value: EnvironmentValue): void => {
    if (typeof value === "string") return;
    if (value.kind === "taskOutput") names.add(value.task);
    if (value.kind === "joined") value.parts.forEach(addFrom);
  };
  Object.values(project.env).forEach(addFrom);
  for (const task of Object.values(project.tasks)) {
    if (task.kind !== "command") continue;
    Object.values(task.env).forEach(addFrom);
    if (task.action.kind === "argv") task.action.argv.forEach(addFrom);
  }
  return names;
}
