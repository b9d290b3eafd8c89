import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";

/** A tool that says its version takes milliseconds; one that hangs must not hold up the run. */
const toolTimeoutMs = 20_000;
/** Longer output is no version. */
const maxToolOutputBytes = 64 * 1024;

export type ToolAnswer =
  | { readonly output: string }
  /** `isLate`: it took too long, and would again. */
  | { readonly failure: string; readonly isLate: boolean };

export interface ToolRun {
  readonly command: string;
  /** Undefined: it needs a shell. */
  readonly argv: readonly string[] | undefined;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs one `runtime` command, without a shell where that is possible, and gives what it printed: stdout, or stderr
 * when stdout is empty (`java -version`), without blanks at the end and with `\n` for line ends. It leads a process group of its own, so that one that takes too
 * long, and all of a run that is aborted, leaves nothing behind.
 */
export async function runTool(tool: ToolRun): Promise<ToolAnswer> {
  const { command, argv, directory, env, signal } = tool;
  // Loaded here: on the way of a hit, whose tools are remembered, nothing is spawned.
  const { spawn } = await import("node:child_process");
  const [program = "sh", ...args] = argv ?? ["sh", "-c", command];
  const failure = (reason: string, isLate = false): ToolAnswer => ({
    failure: `its runtime command ${JSON.stringify(command)} failed: ${reason}`,
    isLate,
  });
  if (signal?.aborted === true) return failure("the run was interrupted");
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: directory,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const end = (answer: ToolAnswer): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", interrupt);
      resolve(answer);
    };
    const give = (answer: ToolAnswer): void => {
      killGroup(child);
      end(answer);
    };
    const interrupt = (): void => give(failure("the run was interrupted"));
    const late = (): void => give(failure(`it ran longer than ${toolTimeoutMs / 1000} s`, true));
    const timer = setTimeout(late, toolTimeoutMs);
    signal?.addEventListener("abort", interrupt, { once: true });
    const tooMuch = (): void => give(failure(`it printed more than ${maxToolOutputBytes} bytes`));
    const stdout = collect(child.stdout, tooMuch);
    const stderr = collect(child.stderr, tooMuch);
    child.once("error", (error) => end(failure(reasonOf(error))));
    child.once("close", (code, endedBy) => {
      if (code !== 0) {
        end(
          failure(
            withLine(endedBy === null ? `exit code ${code}` : `ended by ${endedBy}`, stderr()),
          ),
        );
        return;
      }
      const output = stdout().trim() === "" ? stderr() : stdout();
      end({ output: output.replaceAll("\r\n", "\n").trimEnd() });
    });
  });
}

/** What a stream gives, up to the bound. There is none where no descriptor was left. */
function collect(stream: Readable | null | undefined, tooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxToolOutputBytes) tooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

function killGroup({ pid, stdout, stderr }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch {
    // It has ended.
  }
  stdout?.destroy();
  stderr?.destroy();
}

function reasonOf(error: Error & { code?: unknown }): string {
  return error.code === "ENOENT" ? "command not found" : error.message;
}

/** The first line says what was wrong. */
function withLine(exit: string, stderr: string): string {
  const [line = ""] = stderr.trim().split("\n", 1);
  return line === "" ? exit : `${exit}: ${line.slice(0, 200)}`;
}
