import {
  findProjectDirectory,
  findWorkspaceRoot,
  loadSettingsFiles,
  normalizeProject,
  type Project,
  readEnvironmentSettings,
  resolveTrustSettings,
  type SettingsFile,
  type Warning,
} from "@cuenv/config";
import { disposeEvaluator, evaluate, type EvaluateResult } from "@cuenv/cue";
import { CuenvError, type Location } from "@cuenv/errors";
import { relative } from "node:path";
import type { Invocation } from "../command-line/command.ts";
import { chosenEnvironment, chosenPackage } from "../command-line/given.ts";
import { unknownDefinitionWarnings } from "../project/unknown-definitions.ts";

/** Everything that configures cuenv here, read to the end whatever is wrong with it. */
export interface Configuration {
  /** Absolute; undefined outside of a project. */
  readonly projectDirectory: string | undefined;
  /** Absolute. */
  readonly workspaceRoot: string;
  /** Undefined when there is none, or when it cannot be evaluated. */
  readonly evaluated: EvaluateResult | undefined;
  /** Undefined when it is not valid, too. */
  readonly project: Project | undefined;
  readonly files: readonly SettingsFile[];
  /** Each once, in the order in which people read: CUE, files, variables. */
  readonly errors: readonly CuenvError[];
  readonly warnings: readonly Warning[];
}

export interface ReadConfigurationOptions {
  /** Of a deprecated form every place is a warning, and not only the first. */
  readonly everyPlace?: boolean;
}

/** Unlike `openProject` it remembers nothing, reads the positions of all fields, and does not stop at the first error. */
export async function readConfiguration(
  invocation: Invocation,
  { everyPlace = false }: ReadConfigurationOptions = {},
): Promise<Configuration> {
  const { env } = process;
  const packageName = chosenPackage(invocation);
  const options = packageName === undefined ? {} : { package: packageName };
  const projectDirectory = findProjectDirectory(process.cwd(), options);
  const workspaceRoot = findWorkspaceRoot(projectDirectory ?? process.cwd());
  const errors: CuenvError[] = [];
  const onError = (error: CuenvError): void => void errors.push(error, ...error.others);
  const place = { directory: projectDirectory, workspaceRoot, packageName, everyPlace };
  const cue = await readProject(place, chosenEnvironment(invocation), onError);
  const loaded = await loadSettingsFiles({
    projectDirectory: projectDirectory ?? process.cwd(),
    workspaceRoot,
    environment: env,
    onError,
  });
  const variables = attempt(() => readEnvironmentSettings(env), onError);
  attempt(() => resolveTrustSettings({ environment: env, user: loaded.trust }), onError);
  return {
    projectDirectory,
    workspaceRoot,
    evaluated: cue.evaluated,
    project: cue.project,
    files: loaded.files,
    errors,
    warnings: [
      ...(cue.project?.warnings ?? []),
      ...cue.warnings,
      ...loaded.warnings,
      ...(variables?.warnings ?? []),
    ],
  };
}

interface Place {
  readonly directory: string | undefined;
  readonly workspaceRoot: string;
  readonly packageName: string | undefined;
  readonly everyPlace: boolean;
}

interface ReadProject {
  readonly evaluated: EvaluateResult | undefined;
  readonly project: Project | undefined;
  readonly warnings: readonly Warning[];
}

async function readProject(
  { directory, workspaceRoot, packageName, everyPlace }: Place,
  environment: string | undefined,
  onError: (error: CuenvError) => void,
): Promise<ReadProject> {
  const none = { evaluated: undefined, project: undefined, warnings: [] };
  if (directory === undefined) return none;
  try {
    const evaluated = await evaluate({ directory, packageName });
    const project = attempt(
      () =>
        normalizeProject(evaluated.evaluation, {
          projectDirectory: relative(workspaceRoot, directory).split("\\").join("/"),
          workspaceRoot,
          environment,
          everyPlace,
        }),
      onError,
    );
    const warnings = unknownDefinitionWarnings(evaluated.unknownDefinitions, evaluated.inputs);
    return { evaluated, project, warnings };
  } catch (error) {
    if (!(error instanceof CuenvError)) throw error;
    onError(error);
    return none;
  } finally {
    await disposeEvaluator();
  }
}

function attempt<Value>(
  read: () => Value,
  onError: (error: CuenvError) => void,
): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CuenvError)) throw error;
    onError(error);
    return undefined;
  }
}

/** The configuration as a whole, or the first of its errors with all others. */
export function throwIfWrong({ errors }: Pick<Configuration, "errors">): void {
  const [first, ...others] = errors;
  if (first === undefined) return;
  const { code, message, hint, location, field, cause } = first;
  throw new CuenvError(code, message, {
    cause,
    others,
    ...(hint === undefined ? {} : { hint }),
    ...(location === undefined ? {} : { location }),
    ...(field === undefined ? {} : { field }),
  });
}

/** Where a setting of CUE is written: the pointer of the spelling that was used. */
export function cueLocation(
  { evaluated }: Pick<Configuration, "evaluated">,
  pointers: readonly string[],
): Location | undefined {
  const positions = evaluated?.evaluation.positions ?? {};
  const found = pointers.find((pointer) => Object.hasOwn(positions, pointer));
  return found === undefined ? undefined : positions[found];
}
