import type { InputProblem } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import type { TaskRequest } from "./task-request.ts";

/** What was odd about the inputs of a task, and whether it has any. */
export interface InputOddities {
  readonly problems: readonly InputProblem[];
  readonly hasFiles: boolean;
}

/** What the selection of a task's inputs found odd is told, and changes nothing: the key is defined all the same. */
export function tellInputProblems(
  engine: CacheEngine,
  request: TaskRequest,
  { problems, hasFiles }: InputOddities,
): void {
  for (const problem of problems) {
    const type = isNotFound(problem, hasFiles, request) ? "inputNotFound" : "note";
    engine.emit({ type, task: request.task.name, message: inputNote(problem) });
  }
}

/** Of outputs of dependencies, which are no files of the selection and may lie in the remote cache yet, nothing is missing. */
function isNotFound(
  problem: InputProblem,
  hasFiles: boolean,
  { dependencies }: TaskRequest,
): boolean {
  const made = dependencies.flatMap(({ outputs = [] }) => outputs.map(({ path }) => path));
  if (problem.kind === "unmatched") return !hasFiles && made.length === 0;
  return problem.kind === "missing" && !made.some((path) => isAround(path, problem.path));
}

function isAround(path: string, other: string): boolean {
  return `${path}/`.startsWith(`${other}/`) || other.startsWith(`${path}/`);
}

function inputNote(problem: InputProblem): string {
  switch (problem.kind) {
    case "missing":
      return `its input ${problem.path} is not there`;
    case "unmatched":
      return `its input pattern ${problem.pattern} matches no file that git does not ignore`;
    case "link":
      return `its input ${problem.path} is a link to ${problem.target}: only its text counts (${problem.reason})`;
    case "special":
      return `its input ${problem.path} is a FIFO, a socket or a device, and does not count`;
  }
}
