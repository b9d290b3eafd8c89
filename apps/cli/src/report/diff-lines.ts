import { painterOf } from "./terminal.ts";

/** A unified diff for stdout, in colours where these are wanted. */
export function diffLines(diff: string): string {
  const paint = painterOf(1);
  return diff
    .split("\n")
    .map((line) => {
      if (/^(?:---|\+\+\+) /.test(line)) return paint("bold", line);
      if (line.startsWith("-")) return paint("red", line);
      if (line.startsWith("+")) return paint("green", line);
      return line.startsWith("@@") ? paint("cyan", line) : line;
    })
    .join("\n");
}
