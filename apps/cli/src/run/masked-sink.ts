import type { OutputSink } from "@cuenv/cache";
import type { MaskedStream, Masker } from "@cuenv/runner";

/** Puts the masker before a sink; `end` gives what was held back as the possible beginning of a secret. */
export function maskedSink(
  masker: Masker,
  sink: OutputSink,
): { readonly sink: OutputSink; end(): Promise<void> } {
  const stdout = masker.stream();
  const stderr = masker.stream();
  const through = (stream: MaskedStream, write: OutputSink["stdout"]) => (chunk: Uint8Array) => {
    const shown = stream.push(chunk);
    return shown.length > 0 ? write(shown) : undefined;
  };
  return {
    sink: { stdout: through(stdout, sink.stdout), stderr: through(stderr, sink.stderr) },
    end: async () => {
      const rest = { stdout: stdout.end(), stderr: stderr.end() };
      if (rest.stdout.length > 0) await sink.stdout(rest.stdout);
      if (rest.stderr.length > 0) await sink.stderr(rest.stderr);
    },
  };
}
