import { spawn } from "node:child_process";
import process from "node:process";
import { cuenvLauncher } from "../cuenv-command.ts";
import type { Inspection } from "./inspection.ts";

/** Reading a thousand projects for the first time takes seconds; a machine that is a hundred times slower is not waited for. */
const timeoutMs = 10 * 60_000;
/** A thousand projects with ten tasks each are 10 MB. */
const maxAnswerBytes = 512 * 1024 * 1024;

/** Evaluates projects in one process of cuenv. @throws {Error} when it cannot be run, or does not answer */
export async function runInspect(
  directories: readonly string[],
  options: { readonly environment?: string | undefined; readonly package?: string | undefined },
): Promise<Inspection> {
  const args = [
    ...(options.environment === undefined ? [] : ["--env", options.environment, "--env-if-known"]),
    ...(options.package === undefined ? [] : ["--package", options.package]),
  ];
  const { code, stdout, stderr } = await cuenv(
    ["inspect", "-", "--json", ...args],
    directories.join("\0"),
  );
  const said = stderr.trim();
  if (code !== 0) throw new Error(errorOf(stdout) ?? `cuenv inspect ended with ${code}: ${said}`);
  try {
    return JSON.parse(stdout) as Inspection;
  } catch (cause) {
    throw new Error(`cannot read what cuenv inspect printed: ${stdout.slice(0, 200)}`, { cause });
  }
}

function errorOf(stdout: string): string | undefined {
  try {
    const { error } = JSON.parse(stdout) as { error?: { message?: string; hint?: string } };
    return error && [error.message, error.hint].filter(Boolean).join(". ");
  } catch {
    return undefined;
  }
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function cuenv(args: readonly string[], input: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cuenvLauncher(), ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: timeoutMs,
      env: withoutNodeOptions(),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxAnswerBytes) child.kill();
      else stdout.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.on("error", reject);
    // A child that ended early closes its stdin: its exit code says why.
    child.stdin.on("error", () => {});
    child.on("close", (code) =>
      resolve({
        code,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
    child.stdin.end(input);
  });
}

/** Nx' workers may have loaders of their own in NODE_OPTIONS. */
function withoutNodeOptions(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, ...env } = process.env;
  return env;
}
