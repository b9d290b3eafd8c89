import { formatBytes } from "../run/format-duration.ts";

/** How a command that takes long says how far it is: one line on stderr that is redrawn. */
export interface Progress {
  readonly report: (files: number, bytes: number) => void;
  /** Takes the line away. What is printed next begins on a clean one. */
  readonly end: () => void;
}

/** What is over before a person reads it is not worth a line. */
const firstAfterMs = 400;
const redrawMs = 100;

/**
 * `doing`: "Checking". Silent where stderr is no terminal, and in CI, whose logs keep every line.
 */
export function createProgress(
  doing: string,
  {
    stderr = process.stderr,
    env = process.env,
    now = () => performance.now(),
  }: {
    readonly stderr?: { readonly isTTY?: boolean; readonly write: (text: string) => unknown };
    readonly env?: NodeJS.ProcessEnv;
    readonly now?: () => number;
  } = {},
): Progress {
  const isQuiet = stderr.isTTY !== true || env["TERM"] === "dumb" || isSet(env["CI"]);
  if (isQuiet) return { report: () => undefined, end: () => undefined };
  let next = now() + firstAfterMs;
  let width = 0;
  return {
    report: (files, bytes) => {
      if (now() < next) return;
      next = now() + redrawMs;
      const text = `${doing} … ${files} ${files === 1 ? "file" : "files"}, ${formatBytes(bytes)}`;
      stderr.write(`\r${text.padEnd(width)}`);
      width = text.length;
    },
    end: () => {
      if (width > 0) stderr.write(`\r${" ".repeat(width)}\r`);
      width = 0;
    },
  };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}
