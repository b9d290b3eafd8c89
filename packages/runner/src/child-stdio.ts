import type { ChildProcess, StdioOptions } from "node:child_process";
import { closeSync } from "node:fs";
import { type ChunkSink, type Drain, drainOutput } from "./drain-output.ts";
import { openRealPipe, type RealPipe } from "./real-pipe.ts";

/** The three streams of a child that is about to start. */
export interface ChildStdio {
  readonly options: StdioOptions;
  /** The child has its ends, or was never started: without ours, the end of its output can be seen. */
  readonly closeChildEnds: () => void;
  /** The child runs: output goes to the sinks from now on. */
  readonly connect: (child: ChildProcess) => Drain[];
  /** The child was not started. */
  readonly discard: () => void;
}

export interface StdioRequest {
  readonly stdin: "inherit" | "ignore";
  /** "stderr": our stderr itself. */
  readonly stdout: "inherit" | "stderr" | ChunkSink;
  readonly stderr: "inherit" | ChunkSink;
}

export function openStdio(request: StdioRequest): ChildStdio {
  const stdout = typeof request.stdout === "string" ? undefined : openRealPipe();
  const stderr = request.stderr === "inherit" ? undefined : openRealPipe();
  const pipes = [stdout, stderr].filter((pipe) => pipe !== undefined);
  return {
    options: [request.stdin, childEnd(request.stdout, stdout), childEnd(request.stderr, stderr)],
    closeChildEnds() {
      for (const pipe of pipes) closeSync(pipe.writeDescriptor);
    },
    connect(child) {
      const drains: Drain[] = [];
      const outEnd = stdout?.readable ?? child.stdout;
      const errEnd = stderr?.readable ?? child.stderr;
      if (typeof request.stdout !== "string" && outEnd !== null)
        drains.push(drainOutput(outEnd, request.stdout));
      if (request.stderr !== "inherit" && errEnd !== null)
        drains.push(drainOutput(errEnd, request.stderr));
      return drains;
    },
    discard() {
      for (const pipe of pipes) pipe.readable.destroy();
    },
  };
}

function childEnd(
  sink: "inherit" | "stderr" | ChunkSink,
  pipe: RealPipe | undefined,
): "inherit" | "pipe" | number {
  if (sink === "stderr") return 2;
  return sink === "inherit" ? "inherit" : (pipe?.writeDescriptor ?? "pipe");
}
