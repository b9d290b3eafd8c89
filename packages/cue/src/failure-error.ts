import { join } from "node:path";
import { CuenvError, type ErrorCode, type Location } from "@cuenv/errors";
import { errorsOfEvaluation, locationOf } from "./evaluation-errors.ts";
import type { Refusal } from "./host-files.ts";
import type { EvaluationLimits } from "./limits.ts";
import type { Failure, WorkerMessage } from "./wire.ts";

interface Asked {
  readonly directory: string;
  /** Of the module. */
  readonly root: string;
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

function errorOfProblems(failure: Failure, { directory, root }: Asked): CuenvError {
  const { kind } = failure;
  // Of a file in another encoding every character is a mistake.
  const misread = kind === "syntax" && failure.problems.find(({ message }) => isMisread(message));
  const problems = misread ? [misread] : failure.problems;
  const errors =
    kind === "evaluation"
      ? errorsOfEvaluation(problems, directory)
      : problems.map((problem) => {
          const location = locationOf(problem, directory);
          return kind === "syntax"
            ? syntaxError(problem.message, location)
            : (moduleFileError(problem.message, directory, root) ??
                importError(problem.message, directory, location));
        });
  const [first, ...others] = errors;
  if (first === undefined)
    return new CuenvError(
      "CUE_EVALUATION",
      `cannot evaluate ${directory}: the reason is not known`,
    );
  const { code, message, hint, location } = first;
  return new CuenvError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(location === undefined ? {} : { location }),
    others,
  });
}

function syntaxError(message: string, location: Location): CuenvError {
  const hint = syntaxHint(message);
  return new CuenvError("CUE_SYNTAX", `cannot parse ${location.file}: ${message}`, {
    location,
    ...(hint === undefined ? {} : { hint }),
  });
}

function isMisread(message: string): boolean {
  return /illegal UTF-8|illegal (?:character NUL|byte order mark)|U\+FFFD/.test(message);
}

/** Quotes that editors and web pages make of straight ones. */
const curlyQuotes = /[\u2018-\u201F\u00AB\u00BB]/;

/** Where a file holds something that only looks like CUE, or is no UTF-8. */
function syntaxHint(message: string): string | undefined {
  if (isMisread(message))
    return "save the file as UTF-8 (an editor of Windows, or its shell's `>`, may have written UTF-16)";
  const code = /illegal character U\+(?<code>[0-9A-F]+)/.exec(message)?.groups?.["code"];
  if (code === undefined) return undefined;
  const character = String.fromCodePoint(Number.parseInt(code, 16));
  const plain = curlyQuotes.test(character) ? '"' : character.normalize("NFKC");
  if (plain === character) return undefined;
  return plain === " "
    ? "it looks like a space, and is another character: write a plain one"
    : `it looks like ${plain}, and is another character: write the plain one`;
}

/** What is wrong with the values in a module file the loader says without a place: ": module field has …". */
function moduleFileError(message: string, directory: string, root: string): CuenvError | undefined {
  const [, reason] =
    /^: (?:cannot format fixed file: )?(?:cannot parse result: )?(.*)$/s.exec(message) ?? [];
  if (reason === undefined) return undefined;
  const file = join(root, "cue.mod", "module.cue");
  return new CuenvError("CUE_IMPORT", `cannot load ${directory}: ${file}: ${reason}`, {
    location: { file },
    hint: 'a module file begins like this: module: "example.com/name@v0"',
  });
}

function importError(message: string, directory: string, location: Location): CuenvError {
  // The loader repeats the position, and says "import failed" of everything.
  const reason = message.replace(/^import failed: (?:[^"]*?:\d+:\d+: )?/, "");
  const isMissing = /cannot find (?:module|package)|not here/.test(reason);
  return new CuenvError("CUE_IMPORT", `cannot load ${directory}: ${reason}`, {
    location,
    ...(isMissing
      ? { hint: "packages are not fetched: put the package into the module, or into cue.mod/pkg" }
      : {}),
  });
}
