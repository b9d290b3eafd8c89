/** A tool that says its version takes milliseconds; one that hangs must not hold up the run. */
const toolTimeoutMs = 20_000;
export type ToolAnswer =
  | { readonly output: string }
  /** `isLate`: it took too long, and would again. */
  | { readonly failure: string; readonly isLate: boolean };

/** Longer output is no version. */
const maxToolOutputBytes = 64 * 1024;

/**
 * Runs one `runtime` command, without a shell where that is possible, and gives what it printed: stdout, or stderr
 * when stdout is empty (`java -version`), without blanks at the end and with `\n` for line ends.
 */
export async function runTool(options: {
  readonly command: string;
  /** Undefined: it needs a shell. */
  readonly argv: readonly string[] | undefined;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}): Promise<ToolAnswer> {
  const { command, argv, directory, env, signal } = options;
  // Loaded here: on the way of a hit, whose tools are remembered, nothing is spawned.
  const { execFile } = await import("node:child_process");
  const [program = "sh", ...args] = argv ?? ["sh", "-c", command];
  const failure = (reason: string, isLate: boolean): ToolAnswer => ({
    failure: `its runtime command ${JSON.stringify(command)} failed: ${reason}`,
    isLate,
  });
  const limits = {
    timeout: toolTimeoutMs,
    maxBuffer: maxToolOutputBytes,
    killSignal: "SIGKILL" as const,
  };
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      {
        cwd: directory,
        env,
        encoding: "utf8",
        ...limits,
        ...(signal === undefined ? {} : { signal }),
      },
      (error, stdout, stderr) => {
        if (error !== null) {
          resolve(failure(reasonOf(error, stderr), error.killed === true));
          return;
        }
        const output = stdout.trim() === "" ? stderr : stdout;
        resolve({ output: output.replaceAll("\r\n", "\n").trimEnd() });
      },
    );
    child.stdin?.end();
  });
}

function reasonOf(error: Error & { code?: unknown; killed?: boolean }, stderr: string): string {
  if (error.code === "ENOENT") return "command not found";
  if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") {
    return `it printed more than ${maxToolOutputBytes} bytes`;
  }
  if (error.killed === true) return `it ran longer than ${toolTimeoutMs / 1000} s`;
  const [line = ""] = stderr.trim().split("\n", 1);
  const exit = typeof error.code === "number" ? `exit code ${error.code}` : error.message;
  return line === "" ? exit : `${exit}: ${line.slice(0, 200)}`;
}
