import { spawn } from "node:child_process";

export interface CommandOutcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onStart?: ((pid: number) => void) | undefined;
}

/** Runs a program to its end and takes what it prints. */
export function runCommand(
  [program = "", ...args]: readonly string[],
  { cwd, env, onStart }: CommandOptions,
): Promise<CommandOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on("data", (chunk: Buffer) => chunks.stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.stderr.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const text = (name: keyof typeof chunks): string => Buffer.concat(chunks[name]).toString();
      resolve({ code, signal, stdout: text("stdout"), stderr: text("stderr") });
    });
    if (child.pid !== undefined) onStart?.(child.pid);
  });
}
