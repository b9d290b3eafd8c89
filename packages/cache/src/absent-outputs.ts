import { CuenvError } from "@cuenv/errors";
import type { DependencyState } from "./task-request.ts";

/**
 * Outputs of remote hits that were left where they are until somebody needs them. Keys are made of entries, not of these files, so a task
 * that depends on them may be looked up without them; they are fetched before it runs.
 */
export interface AbsentOutputs {
  /** Where they would lie, relative to the workspace root; empty: the task's own are in place. */
  readonly paths: readonly string[];
  /** The tasks that this one depends on or comes after, of which some may be absent, too. */
  readonly beneath: readonly DependencyState[];
  /**
   * Puts all of them in place: fetches them, or runs the task where that fails.
   * @returns the state of the task then: another where it had to run and made something else
   * @throws {CuenvError} RUN_DEPENDENCY when it had to run, and failed
   */
  readonly bring: () => Promise<DependencyState>;
}

/** The same tasks with all outputs in place, those of what they depend on, too. @throws as {@link AbsentOutputs.bring} */
export async function withOutputs(
  states: readonly DependencyState[],
): Promise<readonly DependencyState[]> {
  if (states.every(({ absent }) => absent === undefined)) return states;
  return Promise.all(states.map(brought));
}

/**
 * As {@link withOutputs}, for those only that hide a file of a deeper task which `isInput` names: a task may read what tasks made that it does not
 * depend on itself, and then its key is made of these files.
 */
export async function withHiddenInputs(
  states: readonly DependencyState[],
  isInput: (path: string) => boolean,
): Promise<readonly DependencyState[]> {
  const hides = ({ absent }: DependencyState): boolean =>
    absent?.beneath.some((state) => isAbsent(state, isInput)) === true;
  if (!states.some(hides)) return states;
  return Promise.all(
    states.map((state) => (hides(state) ? brought(state) : Promise.resolve(state))),
  );
}

/** As {@link withOutputs}, for those only, and what they depend on, of which a file that `isInput` names is absent. */
export async function bringInputs(
  states: readonly DependencyState[],
  isInput: (path: string) => boolean,
): Promise<void> {
  await withOutputs(states.filter((state) => isAbsent(state, isInput)));
}

function isAbsent({ absent }: DependencyState, isInput: (path: string) => boolean): boolean {
  if (absent === undefined) return false;
  return absent.paths.some(isInput) || absent.beneath.some((state) => isAbsent(state, isInput));
}

function brought(state: DependencyState): Promise<DependencyState> {
  return state.absent?.bring() ?? Promise.resolve(state);
}

/** Whether dependents have the same key with the one as with the other. */
export function areSameStates(
  left: readonly DependencyState[],
  right: readonly DependencyState[],
): boolean {
  const text = (states: readonly DependencyState[]): string =>
    JSON.stringify(states.map(({ key, outputs }) => [key, outputs]));
  return left === right || text(left) === text(right);
}

export function dependencyFailed(task: string, exitCode: number): CuenvError {
  return new CuenvError(
    "RUN_DEPENDENCY",
    `cannot have the outputs of ${task}: the remote cache no longer gives them, and when it ran it failed with exit code ${exitCode}`,
    { hint: `\`cuenv task ${task} --force\` shows what it prints.` },
  );
}
