import { createLinePrefixer } from "./line-prefixer.ts";
import type { OutputOptions, RunOutput } from "./output.ts";

/** A longer name is written whole, and only its own lines are further to the right. */
const widestPrefix = 32;
/** Cyan, magenta, yellow, blue, green and their bright forms: not red, which reads as an error. */
const colorCodes = [36, 35, 33, 34, 32, 96, 95, 93, 94, 92];

/** Each stream on its own, in whole lines behind the task's name. */
export function createPrefixedOutput(options: OutputOptions): RunOutput {
  const width = Math.min(widestPrefix, Math.max(0, ...options.names.map((name) => name.length)));
  const encoder = new TextEncoder();
  return {
    task(name) {
      const label = `${name.padEnd(width)} │ `;
      const color = colorCodes[Math.max(0, options.names.indexOf(name)) % colorCodes.length] ?? 36;
      // The reset first: the line before may have left a colour on.
      const prefix = encoder.encode(options.colors ? `\u001B[0;${color}m${label}\u001B[0m` : label);
      const stdout = createLinePrefixer(options.stdout, prefix);
      const stderr = createLinePrefixer(options.stderr, prefix);
      return {
        stdout: stdout.write,
        stderr: stderr.write,
        end: () => both(stdout.end(), stderr.end()),
      };
    },
  };
}

function both(first: void | Promise<void>, second: void | Promise<void>): void | Promise<void> {
  return first === undefined && second === undefined ? undefined : all(first, second);
}

async function all(first: void | Promise<void>, second: void | Promise<void>): Promise<void> {
  await first;
  await second;
}
