import { CuenvError, type ErrorCode, type Location, nearName } from "@cuenv/errors";
import { nativePath } from "./decode-answer.ts";
import type { Refusal } from "./host-files.ts";
import type { EvaluationLimits } from "./limits.ts";
import { knownFields } from "./known-fields.ts";
import type { Failure, Problem, WorkerMessage } from "./wire.ts";

interface Asked {
  readonly directory: string;
  readonly packageName: string;
  readonly limits: EvaluationLimits;
}

const simplify = "split the configuration, or look for structs and lists that multiply";

export function errorOfTimeout(directory: string, limits: EvaluationLimits): CuenvError {
  const reason = `it took more than ${limits.timeoutMs / 1000} s`;
  return limitError("CUE_LIMIT_TIME", directory, reason);
}

export function errorOfRefusal(refusal: Refusal, directory: string): CuenvError {
  return new CuenvError(
    refusal.code,
    `cannot evaluate ${directory}: ${refusal.path} cannot be read: ${refusal.reason}`,
    { location: { file: refusal.path } },
  );
}

export function errorOfCrash(
  message: WorkerMessage,
  directory: string,
  limits: EvaluationLimits,
): CuenvError {
  if (message.kind === "crash" && message.cause === "memory") {
    const reason = `it needs more than ${Math.round(limits.memoryBytes / 1024 ** 2)} MiB of memory`;
    return limitError("CUE_LIMIT_MEMORY", directory, reason);
  }
  if (message.kind === "crash" && message.cause === "depth")
    return limitError("CUE_LIMIT_DEPTH", directory, "values are nested too deep");
  const reason = "detail" in message ? message.detail : "the evaluator gave no answer";
  return new CuenvError("CUE_EVALUATOR", `cannot evaluate ${directory}: ${reason}`);
}

function limitError(code: ErrorCode, directory: string, reason: string): CuenvError {
  const options = { hint: simplify, location: { file: directory } };
  return new CuenvError(code, `cannot evaluate ${directory}: ${reason}`, options);
}

export function errorOfFailure(failure: Failure, asked: Asked): CuenvError {
  const { directory, packageName, limits } = asked;
  const reason = failure.problems[0]?.message ?? "the reason is not known";
  switch (failure.kind) {
    case "output":
      return limitError(
        "CUE_LIMIT_OUTPUT",
        directory,
        `its result has more than ${limits.outputBytes} bytes`,
      );
    case "depth":
      return limitError("CUE_LIMIT_DEPTH", directory, reason);
    case "package":
      return new CuenvError(
        "CUE_PACKAGE_NOT_FOUND",
        `cannot evaluate ${directory}: there is no CUE ${packageName === "" ? "file" : `package ${packageName}`} in it`,
        {
          hint: "write an env.cue, or name the package with --package",
          location: { file: directory },
        },
      );
    case "ambiguous":
      return new CuenvError(
        "CUE_PACKAGE_AMBIGUOUS",
        `cannot evaluate ${directory}: it has several ${reason}`,
        {
          hint: "name one with --package or CUENV_PACKAGE",
          location: { file: directory },
        },
      );
    case "read":
    case "internal":
      return new CuenvError(
        failure.kind === "read" ? "CUE_READ" : "CUE_EVALUATOR",
        `cannot evaluate ${directory}: ${reason}`,
      );
    case "syntax":
    case "load":
    case "evaluation":
      return errorOfProblems(failure, asked);
  }
}

function errorOfProblems({ kind, problems }: Failure, { directory }: Asked): CuenvError {
  const said = new Set<string>();
  const errors: CuenvError[] = [];
  for (const problem of problems) {
    const error = errorOfProblem(problem, kind, directory);
    const place = error.location;
    // CUE gives one error for each side of a disjunction: the reader wants to know the place once.
    const once = `${place?.file}:${place?.line}:${place?.column}:${isDisjunct(problem) ? "" : error.message}`;
    if (said.has(once) || (isSummary(problem) && problems.length > 1)) continue;
    said.add(once);
    errors.push(error);
  }
  const [first, ...others] = errors;
  if (first === undefined) return new CuenvError("CUE_EVALUATION", `cannot evaluate ${directory}`);
  const { code, message, hint, location } = first;
  return new CuenvError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(location === undefined ? {} : { location }),
    others,
  });
}

/** "3 errors in empty disjunction:" says nothing that the errors after it do not say. */
const isSummary = ({ message }: Problem): boolean =>
  /^\d+ errors in empty disjunction/.test(message);
const isDisjunct = ({ message }: Problem): boolean => message.startsWith("conflicting values");

function errorOfProblem(problem: Problem, kind: Failure["kind"], directory: string): CuenvError {
  const { path = [], positions = [], schemaPositions = [], message } = problem;
  const [position] = positions;
  const location: Location =
    position === undefined
      ? { file: directory }
      : { file: nativePath(position.file), line: position.line, column: position.column };
  if (kind === "syntax")
    return new CuenvError("CUE_SYNTAX", `cannot parse ${location.file}: ${message}`, { location });
  if (kind === "load")
    return new CuenvError("CUE_IMPORT", `cannot load ${directory}: ${message}`, { location });
  const name = path.join(".");
  const what = name === "" ? directory : name;
  const misspelt = misspeltField(path);
  if (misspelt !== undefined && schemaPositions.length > 0) {
    return new CuenvError("CUE_INVALID", `cannot use ${misspelt.path}: there is no such field`, {
      location,
      hint: `did you mean \`${misspelt.near}\`?`,
    });
  }
  if (schemaPositions.length > 0)
    return new CuenvError("CUE_INVALID", `cannot use ${what}: ${message}`, { location });
  return new CuenvError("CUE_EVALUATION", `cannot evaluate ${what}: ${message}`, { location });
}

/** The first element of a path that is no field where it stands, but nearly one. */
function misspeltField(path: readonly string[]): { path: string; near: string } | undefined {
  for (const [index, name] of path.entries()) {
    const known = knownFields(path.slice(0, index));
    if (known.length === 0 || known.includes(name)) continue;
    const near = nearName(name, known);
    if (near !== undefined) return { path: path.slice(0, index + 1).join("."), near };
  }
  return undefined;
}
