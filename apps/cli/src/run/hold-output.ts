import type { OutputSink } from "@cuenv/cache";

/** How much of a stream is kept for others (1 MiB): more than an argument can hold, so that one that was cut is refused there. */
const maxHeldBytes = 1024 * 1024;

/** Keeps a copy of what passes to `sink`, for tasks that use it as an argument or a variable. */
export function holdOutput(sink: OutputSink): {
  readonly sink: OutputSink;
  /** Keeps what comes, and passes nothing on. */
  readonly quietly: OutputSink;
  bytes(): { readonly stdout: Uint8Array; readonly stderr: Uint8Array };
} {
  const held = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const heldBytes = { stdout: 0, stderr: 0 };
  const hold = (stream: "stdout" | "stderr") => (chunk: Uint8Array) => {
    if (heldBytes[stream] < maxHeldBytes) held[stream].push(Uint8Array.from(chunk));
    heldBytes[stream] += chunk.length;
  };
  const quietly = { stdout: hold("stdout"), stderr: hold("stderr") };
  const tee = (stream: "stdout" | "stderr") => (chunk: Uint8Array) => {
    quietly[stream](chunk);
    return sink[stream](chunk);
  };
  return {
    sink: { stdout: tee("stdout"), stderr: tee("stderr") },
    quietly,
    bytes: () => ({ stdout: Buffer.concat(held.stdout), stderr: Buffer.concat(held.stderr) }),
  };
}
