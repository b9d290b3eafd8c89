import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { basename, delimiter, isAbsolute, join } from "node:path";

export interface Executable {
  /** What to run without a shell. */
  readonly argv: readonly string[];
  /** As it was found; links are not resolved. */
  readonly path: string;
  /** Where the file really is, and its stat; undefined when its output may change while it does not. */
  readonly identity: string | undefined;
}

/** Nothing in it that a shell would treat specially. */
const plainCommand = /^[A-Za-z0-9_./:=@%+,-]+(?: +[A-Za-z0-9_./:=@%+,-]+)*$/;
/** Folders of version managers whose programs look elsewhere for which version to be. */
const managed =
  /\/(?:shims|\.volta|\.?cargo|\.?rustup|\.sdkman|\.proto|mise|asdf|corepack)(?:\/|$)/;
/** What files of the project (global.json, packageManager, .bazelversion, a lock file) say decides which version these are, or what else they print of it. */
const delegating = /^(?:bazel|bazelisk|dotnet|pants|pnpm|terraform|terragrunt|tofu|yarn)$/;
const javaScript = /\b(?:node|bun|deno)\b/;
const installed = /[\\/]node_modules[\\/]/;

/**
 * The program that a command starts, when that can be said without a shell: it has no shell syntax, no assignment in
 * front, and its first word is found along `pathVariable`.
 *
 * A program without `identity` is a shim, or may be one: it lies in a version manager's folder, is a link to a file of another
 * name (rustc → rustup), is one of macOS's stubs, is known to be what the project says (pnpm, dotnet), or is a script. Of scripts only JavaScript ones of a package that is
 * installed in the project, or around it, have an identity, for a package manager writes all files of a package anew; in a workspace's own tool, a link in
 * `node_modules/.bin` often, the `package.json` that the version is read from changes alone; and one that is installed for the whole machine (turbo, nx, gulp) hands over to
 * that of the project.
 */
export function findExecutable(
  command: string,
  directory: string,
  pathVariable: string,
): Executable | undefined {
  if (!plainCommand.test(command)) return undefined;
  const argv = command.split(/ +/);
  const [program = ""] = argv;
  if (program.includes("=")) return undefined;
  const path = locate(program, directory, pathVariable);
  return path === undefined
    ? undefined
    : { argv, path, identity: identify(program, path, directory) };
}

function locate(program: string, directory: string, pathVariable: string): string | undefined {
  if (program.includes("/")) {
    const path = isAbsolute(program) ? program : join(directory, program);
    return isExecutableFile(path) ? path : undefined;
  }
  for (const folder of pathVariable.split(delimiter)) {
    const path = join(isAbsolute(folder) ? folder : join(directory, folder), program);
    if (isExecutableFile(path)) return path;
  }
  return undefined;
}

function isExecutableFile(path: string): boolean {
  try {
    const stat = statSync(path);
    return stat.isFile() && (stat.mode & 0o111) !== 0;
  } catch {
    // Not there, or in a folder that we may not enter: the system would look further, too.
    return false;
  }
}

function identify(program: string, path: string, directory: string): string | undefined {
  try {
    const real = realpathSync.native(path);
    const name = basename(real).replace(/\.(?:js|mjs|cjs|exe)$/, "");
    if (name !== basename(program) || managed.test(path) || managed.test(real)) return undefined;
    if (delegating.test(name)) return undefined;
    if (process.platform === "darwin" && real.startsWith("/usr/bin/")) return undefined;
    const interpreter = interpreterOf(real);
    const isPackaged =
      javaScript.test(interpreter ?? "") &&
      installed.test(real) &&
      [path, real].some((file) => isAround(folderOfInstallation(file), directory));
    if (interpreter !== undefined && !isPackaged) return undefined;
    return fileState(real);
  } catch {
    return undefined;
  }
}

/** A path and the stat of what is there, links followed. @throws system errors */
export function fileState(path: string): string {
  const { size, mtimeMs, ctimeMs, ino } = statSync(path);
  return [path, size, mtimeMs, ctimeMs, ino].join("\0");
}

/** The folder whose `node_modules` a file lies in. */
function folderOfInstallation(path: string): string | undefined {
  const at = path.search(installed);
  return at < 0 ? undefined : path.slice(0, at);
}

function isAround(folder: string | undefined, directory: string): boolean {
  return folder !== undefined && (directory === folder || directory.startsWith(`${folder}/`));
}

/** The `#!` line of a script. */
function interpreterOf(path: string): string | undefined {
  const head = Buffer.alloc(128);
  const file = openSync(path, "r");
  try {
    const line = head
      .toString("latin1", 0, readSync(file, head, 0, head.length, 0))
      .split("\n", 1)
      .join("");
    return line.startsWith("#!") ? line : undefined;
  } finally {
    closeSync(file);
  }
}
