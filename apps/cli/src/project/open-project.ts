import {
  assertUnlocked,
  type CacheSettings,
  type CacheSettingsInput,
  findProjectDirectory,
  findWorkspace,
  findWorkspaceRoot,
  isWritable,
  loadSettingsFiles,
  overTasks,
  parseCacheMode,
  type Project,
  resolveCacheSettings,
  type ResolvedCacheSettings,
  resolveTrustSettings,
  type TrustSettingsInput,
} from "@cuenv/config";
import type { EvaluateResult, EvaluationInput } from "@cuenv/cue";
import { decodeAnswer, recallAnswer } from "@cuenv/cue/memo";
import { type TrustPolicy, usableWorkspaceState } from "@cuenv/cache";
import { CuenvError, exitCodes } from "@cuenv/errors";
import { relative, resolve } from "node:path";
import type { Invocation } from "../command-line/command.ts";
import { chosenEnvironment, chosenPackage, flagText } from "../command-line/given.ts";
import { decideOnCompiledCode } from "../compiled-code.ts";
import { printErr } from "../report/terminal.ts";
import { visibleLines } from "../report/visible-text.ts";
import { makeMemoSeal, readMemoSeal } from "./memo-seal.ts";
import { recallProject, rememberProject } from "./project-memo.ts";
import { projectNotFound } from "./project-not-found.ts";
import { cacheDirWrittenAnywhere, writtenCacheDir } from "./written-cache-dir.ts";

export interface OpenProject {
  readonly project: Project;
  /** Absolute. */
  readonly projectDirectory: string;
  /** Absolute. */
  readonly workspaceRoot: string;
  /** The project's folder, relative to the workspace root. */
  readonly projectPath: string;
  readonly cache: ResolvedCacheSettings;
  readonly trust: TrustPolicy;
}

export interface OpenOptions {
  /** False: what was evaluated is not kept for the next run. For who measures or empties the cache folder. */
  readonly remember?: boolean;
  /** Told what the evaluation depended on. */
  readonly onInputs?: (inputs: readonly EvaluationInput[]) => void;
  /** Absolute: the project there, and no folder above it. Default: that around the current folder. */
  readonly directory?: string;
  /** Instead of `--env` and CUENV_ENV; null: none. */
  readonly environment?: string | null | undefined;
  /** Instead of `--package` and CUENV_PACKAGE. */
  readonly packageName?: string | undefined;
  /** For who opens many and starts nothing: the evaluator stays loaded. It does not keep the process alive. */
  readonly keepsEvaluator?: boolean;
}

/**
 * Finds, evaluates and validates the project around the current folder.
 * @throws {CuenvError} USAGE when there is none; CUE_… and CONFIG_… for what is wrong with it.
 */
export async function openProject(
  invocation: Invocation,
  options: OpenOptions = {},
): Promise<OpenProject> {
  const { remember = true, onInputs, directory, keepsEvaluator = false } = options;
  const { env } = process;
  const packageName = options.packageName ?? chosenPackage(invocation);
  const environment =
    options.environment === null
      ? undefined
      : (options.environment ?? chosenEnvironment(invocation));
  const projectDirectory = findProject(packageName, directory);
  const workspaceRoot = findWorkspaceRoot(projectDirectory);
  const projectPath = relative(workspaceRoot, projectDirectory).split("\\").join("/");
  const flags = cacheFlags(invocation);
  const { files, warnings, trust } = await loadSettingsFiles({
    projectDirectory,
    workspaceRoot,
    environment: env,
  });
  const settle = (project: CacheSettingsInput): ResolvedCacheSettings => {
    const given = { flags, environment: env, project, files, projectDirectory };
    const cache = resolveCacheSettings(given);
    assertUnlocked(trust, { environment: env, cache });
    return cache;
  };
  const noted: Project["warnings"][number][] = [...warnings];
  const warn = (message: string): void => void noted.push({ message });
  const policy = trustPolicy(trust);
  const project = await loadProject({
    policy,
    directory: projectDirectory,
    workspaceRoot,
    projectPath,
    packageName,
    environment,
    onInputs,
    keepsEvaluator,
    // Only the evaluated file says all of the settings. Before, its text is asked for the one that says where to look, and then the others.
    memoDirectories: [writtenCacheDir, cacheDirWrittenAnywhere].map((guess) => () => {
      const { settings } = settle(guessed(guess, projectDirectory, trust));
      return memoDirectory(settings, workspaceRoot, false, warn);
    }),
    memoDirectoryFor: ({ cache }) => {
      const { settings } = settle(cache);
      return remember && mayRemember(settings)
        ? memoDirectory(settings, workspaceRoot, true, warn)
        : undefined;
    },
  });
  const cache = settle(project.cache);
  const all = {
    ...project,
    tasks: overTasks(project.tasks, cache),
    warnings: [...noted, ...cache.warnings, ...project.warnings],
  };
  decideOnCompiledCode(mayRemember(cache.settings));
  return {
    project: all,
    projectDirectory,
    workspaceRoot,
    projectPath,
    cache,
    trust: policy,
  };
}

/** Whether a project could not be opened because it has no such environment. */
export function isUnknownEnvironment(error: unknown): boolean {
  return error instanceof CuenvError && error.code === "CONFIG_UNKNOWN_ENVIRONMENT";
}

/** Whose results are used: by the user's settings and our own environment, and nothing that a workspace says. */
function trustPolicy(user: TrustSettingsInput): TrustPolicy {
  const { CUENV_SIGNING_KEY: key = "", CUENV_SIGNING_KEY_FILE: file = "" } = process.env;
  return {
    ...resolveTrustSettings({ environment: process.env, user }),
    ...(key === "" ? {} : { signingKey: key }),
    ...(file === "" ? {} : { signingKeyFile: resolve(file) }),
  };
}

/** Whom to trust, for commands that ask nothing else: env.cue is not evaluated. */
export async function openTrust(): Promise<Pick<OpenSettings, "trust" | "workspaceRoot">> {
  const found = projectAround(undefined);
  const projectDirectory = found ?? process.cwd();
  const workspaceRoot = findWorkspaceRoot(projectDirectory);
  const place = { projectDirectory, workspaceRoot, environment: process.env };
  const { trust } = await loadSettingsFiles(place);
  return {
    trust: trustPolicy(trust),
    workspaceRoot: found === undefined ? findWorkspace(projectDirectory) : workspaceRoot,
  };
}

export interface OpenSettings extends ResolvedCacheSettings {
  readonly trust: TrustPolicy;
  /** Absolute; undefined: here is neither a project nor a workspace, be it a home folder, or `/` where a service starts. */
  readonly workspaceRoot: string | undefined;
  /** Absolute; the current folder outside of a project. */
  readonly projectDirectory: string;
}

export interface SettingsOptions extends Omit<OpenOptions, "directory"> {
  /** Absolute: the project around this folder. Default: the current one. */
  readonly from?: string;
}

/**
 * The settings alone, for commands that need no tasks: outside of a project, and for one that cannot be evaluated, too, since a cache
 * must be cleared and mended whatever is wrong with env.cue.
 */
export async function openSettings(
  invocation: Invocation,
  { from = process.cwd(), ...options }: SettingsOptions = {},
): Promise<OpenSettings> {
  const packageName = chosenPackage(invocation);
  const found = projectAround(packageName, from);
  try {
    if (found !== undefined) {
      const there = { ...options, directory: found };
      const { cache, trust, workspaceRoot } = await openProject(invocation, there);
      return { ...cache, trust, workspaceRoot, projectDirectory: found };
    }
  } catch (error) {
    if (!(error instanceof CuenvError) || error.exitCode !== exitCodes.configuration) throw error;
    printErr(
      `warning: env.cue is left out, because it is not valid: ${visibleLines(error.message)}\n`,
    );
  }
  return openSettingsAlone(invocation, from);
}

/** As {@link openSettings} where env.cue is not valid, or there is none. */
export async function openSettingsAlone(
  invocation: Invocation,
  from: string = process.cwd(),
): Promise<OpenSettings> {
  const packageName = chosenPackage(invocation);
  const found = projectAround(packageName, from);
  const projectDirectory = found ?? from;
  const place = {
    projectDirectory,
    workspaceRoot: findWorkspaceRoot(projectDirectory),
    environment: process.env,
  };
  const { files, trust } = await loadSettingsFiles(place);
  const project = found === undefined ? {} : guessed(cacheDirWrittenAnywhere, found, trust);
  const environment = process.env;
  const cache = resolveCacheSettings({ environment, project, files, projectDirectory });
  assertUnlocked(trust, { environment, cache });
  return {
    ...cache,
    trust: trustPolicy(trust),
    workspaceRoot: found === undefined ? findWorkspace(from) : place.workspaceRoot,
    projectDirectory,
  };
}

function projectAround(
  packageName: string | undefined,
  directory = process.cwd(),
): string | undefined {
  const options = packageName === undefined ? {} : { package: packageName };
  return findProjectDirectory(directory, options);
}

function findProject(packageName: string | undefined, directory: string | undefined): string {
  const found = projectAround(packageName, directory);
  if (found !== undefined && (directory === undefined || found === directory)) return found;
  throw projectNotFound(directory);
}

function cacheFlags(invocation: Invocation): CacheSettingsInput {
  const mode = flagText(invocation, "cache");
  return mode === undefined ? {} : { defaultMode: parseCacheMode(mode, "--cache") };
}

/** Where the user has locked the folder, env.cue has none to say: what looks like one there is something else, or is refused when it is evaluated. */
function guessed(
  guess: (projectDirectory: string) => CacheSettingsInput,
  projectDirectory: string,
  trust: TrustSettingsInput,
): CacheSettingsInput {
  return trust.locked === true ? {} : guess(projectDirectory);
}

/** With the cache off nothing is read or written below its folder, remembered evaluations included. `writes`: it is made if need be. */
function memoDirectory(
  settings: CacheSettings,
  workspaceRoot: string,
  writes: boolean,
  onWarning: (message: string) => void,
): string | undefined {
  if (!settings.enabled || settings.defaultMode === "off") return undefined;
  return usableWorkspaceState(settings.cacheDir, workspaceRoot, writes, onWarning)?.evaluations;
}

function mayRemember(settings: CacheSettings): boolean {
  return settings.enabled && isWritable(settings.defaultMode);
}

interface LoadOptions {
  readonly policy: TrustPolicy;
  readonly directory: string;
  readonly workspaceRoot: string;
  readonly projectPath: string;
  readonly packageName: string | undefined;
  readonly environment: string | undefined;
  /** Where to look, one after the other; undefined: nowhere. */
  readonly memoDirectories: readonly (() => string | undefined)[];
  /** Where to keep what was made of this project. */
  readonly memoDirectoryFor: (project: Project) => string | undefined;
  readonly onInputs: OpenOptions["onInputs"];
  readonly keepsEvaluator: boolean;
}

/** A warm run recalls what was evaluated and what was made of it, and loads neither the evaluator nor the normaliser. */
async function loadProject(options: LoadOptions): Promise<Project> {
  const request = { directory: options.directory, packageName: options.packageName };
  const found = recallFromAny(request, options);
  if (found === undefined) return evaluated(request, options);
  const { recalled, memo, seal } = found;
  options.onInputs?.(recalled.inputs);
  const key = { ...options, memoDirectory: memo, answer: recalled.answer, seal };
  const known = recallProject(key);
  if (known !== undefined) {
    if (recalled.renew !== undefined && options.memoDirectoryFor(known) !== undefined)
      recalled.renew();
    return known;
  }
  const decoded = decodeAnswer(recalled.answer);
  const project = await normalized({ ...decoded, inputs: recalled.inputs }, options);
  if (options.memoDirectoryFor(project) !== undefined) {
    recalled.renew?.();
    rememberProject(key, project);
  }
  return project;
}

/** The first place costs a warm run nothing more; the others are looked at where evaluating is what is left. */
function recallFromAny(
  request: { readonly directory: string; readonly packageName: string | undefined },
  { memoDirectories, policy }: LoadOptions,
) {
  const seen = new Set<string>();
  for (const place of memoDirectories) {
    const memo = place();
    if (memo === undefined || seen.has(memo)) continue;
    seen.add(memo);
    const found = readMemoSeal(policy);
    if (found === undefined) return undefined;
    const seal = found.secret;
    const recalled = recallAnswer({ ...request, memoDirectory: memo, seal });
    if (recalled !== undefined) return { recalled, memo, seal };
  }
  return undefined;
}

async function normalized(
  { evaluation, unknownDefinitions, inputs }: Omit<EvaluateResult, "packageName">,
  options: LoadOptions,
): Promise<Project> {
  const { normalizeProject } = await import("@cuenv/config/normalize");
  const { environment, projectPath, workspaceRoot } = options;
  const project = normalizeProject(evaluation, {
    projectDirectory: projectPath,
    workspaceRoot,
    ...(environment === undefined ? {} : { environment }),
  });
  if (unknownDefinitions.length === 0) return project;
  const { unknownDefinitionWarnings } = await import("./unknown-definitions.ts");
  const unknown = unknownDefinitionWarnings(unknownDefinitions, inputs);
  return { ...project, warnings: [...unknown, ...project.warnings] };
}

async function evaluated(
  request: { readonly directory: string; readonly packageName: string | undefined },
  options: LoadOptions,
): Promise<Project> {
  const { disposeEvaluator, evaluateToRemember } = await import("@cuenv/cue");
  const evaluation = await evaluateToRemember(request);
  // Its 250 MB would be in the page tables of every process that is forked: 200 tasks took 4.7 s instead of 3.7.
  if (!options.keepsEvaluator) await disposeEvaluator();
  options.onInputs?.(evaluation.inputs);
  const project = await normalized(evaluation, options);
  const memo = options.memoDirectoryFor(project);
  const seal = memo === undefined ? undefined : await makeMemoSeal(options.policy);
  if (memo !== undefined && seal !== undefined) evaluation.remember(memo, seal.secret);
  return project;
}
