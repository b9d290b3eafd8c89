import type { OutputOptions, RunOutput } from "./output.ts";
import { createSpillBuffer, type HandOut, type StreamName } from "./spill-buffer.ts";

const encoder = new TextEncoder();
const newline = 0x0a;

/**
 * Holds each task's output back until its end, and writes it below a header, one task after the other. The header goes
 * to stderr, as all that is ours; in GitHub Actions everything goes to stdout, since its runner reads the two streams
 * apart and would tear lines out of their groups.
 */
export function createGroupedOutput(options: OutputOptions): RunOutput {
  const github = options.github === true;
  let lastGroup: Promise<void> = Promise.resolve();

  async function writeGroup(name: string, handOut: HandOut): Promise<void> {
    const ends = { stdout: newline, stderr: newline };
    await (github ? options.stdout : options.stderr).write(encoder.encode(header(name, options)));
    await handOut((stream, chunk) => {
      const target = github ? "stdout" : stream;
      ends[target] = chunk.at(-1) ?? newline;
      return options[target].write(chunk);
    });
    // What follows must start on a line of its own.
    if (ends.stdout !== newline) await options.stdout.write(Uint8Array.of(newline));
    if (ends.stderr !== newline) await options.stderr.write(Uint8Array.of(newline));
    if (github) await options.stdout.write(encoder.encode("::endgroup::\n"));
  }

  return {
    task(name) {
      const content = createSpillBuffer();
      let isEmpty = true;
      const flush = (): Promise<void> => {
        isEmpty = true;
        const handOut = content.detach();
        lastGroup = afterwards(lastGroup, () => writeGroup(name, handOut));
        return lastGroup;
      };
      const add = (stream: StreamName, chunk: Uint8Array): void | Promise<void> => {
        isEmpty = false;
        if (content.add(stream, chunk)) return undefined;
        // No room to keep it: a group in two parts is better than a lost line.
        const emptied = flush();
        content.add(stream, chunk);
        isEmpty = false;
        return emptied;
      };
      return {
        stdout: (chunk) => add("stdout", chunk),
        stderr: (chunk) => add("stderr", chunk),
        end: () => (isEmpty ? undefined : flush()),
      };
    },
  };
}

async function afterwards(before: Promise<void>, write: () => Promise<void>): Promise<void> {
  await before;
  await write();
}

function header(name: string, options: OutputOptions): string {
  if (options.github === true) return `::group::${name}\n`;
  const line = `── ${name} ${"─".repeat(Math.max(2, 60 - name.length))}`;
  return options.colors ? `\u001B[0;1m${line}\u001B[0m\n` : `${line}\n`;
}
