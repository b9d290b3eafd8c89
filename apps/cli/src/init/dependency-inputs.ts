/** A task of a package as a tool's files define it. */
export interface DefinedTask {
  /** Relative to the package, or `//` from the workspace root. */
  readonly outputs: readonly string[];
  /** Tasks of its own package that it waits for. */
  readonly dependencies: readonly string[];
  /** Names of tasks that it waits for in the packages that its package uses. */
  readonly elsewhere: readonly string[];
}

export type FindTask = (name: string) => DefinedTask | undefined;

/**
 * What a package reads of those that it uses (`paths`, from the workspace root), when it waits for their tasks of the names `awaited`: their
 * files, and what these tasks make. Git ignores that most often, so that it counts only where it is named; without it a result that was
 * made from what lay there before would stand for the new one.
 */
export function dependencyInputs(
  paths: readonly string[],
  awaited: readonly string[],
  tasksOf: (path: string) => FindTask,
): string[] {
  const packages = paths.map((path) => ({ path, find: tasksOf(path), outputs: new Set<string>() }));
  // It grows while it is gone through: they wait for others in turn.
  const names = new Set(awaited);
  for (const name of names) {
    for (const { path, find, outputs } of packages) {
      const own = new Set([name]);
      for (const each of own) {
        const task = find(each);
        for (const output of task?.outputs ?? []) outputs.add(below(path, output));
        for (const dependency of task?.dependencies ?? []) own.add(dependency);
        for (const other of task?.elsewhere ?? []) names.add(other);
      }
    }
  }
  return packages.flatMap(({ path, outputs }) => [
    `//${path}/**`,
    `!//${path}/node_modules/**`,
    ...outputs,
  ]);
}

/** What is told of a task that waits for some of other packages. */
export function notAwaited(targets: readonly string[]): string {
  return `does not wait for ${targets.join(", ")}: cuenv runs the tasks of one project. Run those before it; the packages that this one uses, and the outputs that these tasks declare there, are among its inputs`;
}

function below(path: string, output: string): string {
  const negated = output.startsWith("!");
  const pattern = negated ? output.slice(1) : output;
  const placed = pattern.startsWith("//") ? pattern : `//${path}/${pattern}`;
  return negated ? `!${placed}` : placed;
}
