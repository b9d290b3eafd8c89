import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FaultProject } from "./fault-project.ts";

/** One file-system call of the main thread, where all of cuenv's are made. */
export interface FileCall {
  readonly name: string;
  /** How many calls of this name there were up to it: what strace's `when=` counts. */
  readonly ordinal: number;
  /** Whether it could change what is on the disk. Between two that do, a kill finds the same disk. */
  readonly changes: boolean;
  readonly line: string;
}

const changing =
  /^(?:mkdir|rename|unlink|rmdir|link|symlink|p?write|pwritev|ftruncate|truncate|f?chmod|f?chown|utimens|copy_file_range|sendfile|fallocate|ioctl)/;

/**
 * The calls of `cuenv …args` that touch the workspace, the cache folder or TMPDIR, in their order. Node's own start is left out. Only the
 * main thread is followed: the task's processes are not, and pool threads must not touch these folders, which `-f` runs assert elsewhere.
 */
export async function fileCalls(
  project: FaultProject,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly FileCall[]> {
  const log = join(project.base, "calls.log");
  const wrapper = ["strace", "-qq", "-y", "-s", "4096", "-o", log, "--trace=%file,%desc"];
  const { code, stderr } = await project.cuenv(args, {
    wrapper,
    env: { ...env, ...onePoolThread },
  });
  if (code !== 0) throw new Error(`cannot record the calls of cuenv ${args.join(" ")}: ${stderr}`);
  const counts = new Map<string, number>();
  return readFileSync(log, "latin1")
    .split("\n")
    .flatMap((line) => {
      const name = /^([a-z_0-9]+)\(/.exec(line)?.[1];
      if (name === undefined) return [];
      const ordinal = (counts.get(name) ?? 0) + 1;
      counts.set(name, ordinal);
      if (!touches(project, line) || name === "execve" || name === "getcwd") return [];
      const changes = changing.test(name) || /^open(?:at)?\(.*O_(?:CREAT|TRUNC)/.test(line);
      return [{ name, ordinal, changes, line: line.slice(0, 400) }];
    });
}

/** Counts of strace are per thread. */
export const onePoolThread = { UV_THREADPOOL_SIZE: "1" } as const;

/** What strace needs to do something (`signal=KILL`, `error=EIO`) at one call, and to note it for {@link wasInjected}. */
export function injection(project: FaultProject, call: FileCall, what: string): string[] {
  const inject = `--inject=${call.name}:${what}:when=${call.ordinal}`;
  return ["strace", "-qq", "-y", "-o", injectionLog(project), `--trace=${call.name}`, inject];
}

function injectionLog(project: FaultProject): string {
  return join(project.base, "injection.log");
}

/** Whether it was one of the project's files that a call failed on. The calls differ a little from time to time, and the module loader's do not count. */
export function wasInjected(project: FaultProject): boolean {
  const line = readFileSync(injectionLog(project), "latin1")
    .split("\n")
    .find((each) => each.endsWith("(INJECTED)"));
  return line !== undefined && touches(project, line);
}

function touches(project: FaultProject, line: string): boolean {
  // The working folder, which every relative call carries, is no touch.
  const operands = line.replaceAll(/AT_FDCWD<[^>]*>/g, "");
  return [project.workspace, project.cacheDir, project.temporary].some((folder) =>
    ['"', "<"].some((mark) => operands.includes(`${mark}${folder}`)),
  );
}
