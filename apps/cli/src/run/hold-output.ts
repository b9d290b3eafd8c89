import type { OutputSink } from "@cuenv/cache";

/** Output that others refer to is kept up to this size (16 MiB): far more than an argument can hold. */
const maxHeldBytes = 16 * 1024 * 1024;

/** Keeps a copy of what passes to `sink`, for tasks that use it as an argument or a variable. */
export function holdOutput(sink: OutputSink): {
  readonly sink: OutputSink;
  bytes(): { readonly stdout: Uint8Array; readonly stderr: Uint8Array };
} {
  const held = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  let heldBytes = 0;
  const tee = (stream: "stdout" | "stderr") => (chunk: Uint8Array) => {
    heldBytes += chunk.length;
    if (heldBytes <= maxHeldBytes) held[stream].push(Uint8Array.from(chunk));
    return sink[stream](chunk);
  };
  return {
    sink: { stdout: tee("stdout"), stderr: tee("stderr") },
    bytes: () => ({ stdout: Buffer.concat(held.stdout), stderr: Buffer.concat(held.stderr) }),
  };
}
