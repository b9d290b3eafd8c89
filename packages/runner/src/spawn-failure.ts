import { statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { CuenvError, exitCodes } from "@cuenv/errors";

/** A command that could not be started for a reason that lies in the command. */
export interface SpawnFailure {
  readonly status: "notFound" | "notExecutable";
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: number;
}

/**
 * What the error of a spawn says about the command, with the exit codes of a shell.
 * @throws {CuenvError} RUN_SPAWN, RUN_ENVIRONMENT when it is not the command's fault
 */
export function spawnFailure(
  error: unknown,
  program: string,
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): SpawnFailure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const cannot = `cannot run ${JSON.stringify(program)}`;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return notFound(cannot, program, cwd);
    case "EACCES":
    case "EPERM":
      return isFolder(cwd) && isThere(program, cwd, env["PATH"] ?? "")
        ? notExecutable(`${cannot}: permission denied`, "make it executable with chmod +x")
        : notFound(cannot, program, cwd);
    case "ENOEXEC":
      return notExecutable(`${cannot}: it is not a program for this machine`, undefined);
    case "E2BIG":
      return notExecutable(
        `${cannot}: its arguments and environment are too long`,
        "pass large values in a file",
      );
    case "ERR_INVALID_ARG_VALUE":
      throw new CuenvError(
        "RUN_ENVIRONMENT",
        `${cannot}: an argument, a variable or the folder contains a NUL byte`,
        {
          hint: "no process can be given one; encode the value",
          cause: error,
        },
      );
    default:
      throw new CuenvError(
        "RUN_SPAWN",
        `${cannot}: the system refused to start a process (${code || String(error)})`,
        {
          hint: "fewer tasks at once (--jobs) need fewer processes and open files",
          cause: error,
        },
      );
  }
}

function notFound(cannot: string, program: string, cwd: string): SpawnFailure {
  if (!isFolder(cwd)) {
    const message = `${cannot}: its working folder ${JSON.stringify(cwd)} does not exist`;
    return {
      status: "notFound",
      message,
      hint: "create it, or correct `workingDir` of the task",
      exitCode: exitCodes.notFound,
    };
  }
  const message = program.includes("/")
    ? `${cannot}: it, or the interpreter that its first line names, does not exist`
    : `${cannot}: there is no such program in PATH`;
  return {
    status: "notFound",
    message,
    hint: /\S\s+\S/.test(program)
      ? "arguments stand beside a program's name, each for itself, and not in it: a task has them in `args`"
      : "install it, or correct the name",
    exitCode: exitCodes.notFound,
  };
}

function notExecutable(message: string, hint: string | undefined): SpawnFailure {
  return { status: "notExecutable", message, hint, exitCode: exitCodes.notExecutable };
}

/**
 * The system also says "permission denied" of a name that is nowhere in PATH, when it may not look into one of its folders: /root/.cargo/bin, say, that an image has there
 * for a user who is not root. A shell says 127.
 */
function isThere(program: string, cwd: string, path: string): boolean {
  if (program.includes("/")) return true;
  return path.split(delimiter).some((folder) => isFile(resolve(cwd, folder, program)));
}

/** False also of what we may not look at. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
