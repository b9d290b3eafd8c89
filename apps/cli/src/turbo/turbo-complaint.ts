/**
 * Why turbo ended, on one line, from the report that it prints where nobody looks at a terminal: `x` begins an error, an arrow its cause, `|` goes on with one, and a
 * frame shows the place in a file. Its last line, where there is no such report; empty, where there is nothing.
 */
export function turboComplaint(stderr: string): string {
  const lines = stderr.split("\n");
  const begin = lines.findIndex((line) => /^\s*x /.test(line));
  if (begin < 0) return stderr.trim().split("\n").at(-1)?.trim() ?? "";
  let said = "";
  let isInFrame = false;
  for (const line of lines.slice(begin)) {
    const place = /,-\[(.+)\]/.exec(line)?.[1];
    if (place !== undefined) said += ` (${place})`;
    if (place !== undefined || /^\s*`-{2,}\s*$/.test(line)) isInFrame = place !== undefined;
    else if (!isInFrame) said = withLine(said, line);
  }
  return said;
}

function withLine(said: string, line: string): string {
  const [, mark = "", text = ""] = /^\s*([|`]->\s*(?:x )?|x |\| )?\s*(.*?)\s*$/.exec(line) ?? [];
  // A cause often says again what it is the cause of.
  if (text === "" || said.endsWith(text)) return said;
  if (said === "") return text;
  if (mark !== "" && mark !== "| ") return `${said.replace(/\.$/, "")}: ${text}`;
  // It breaks long paths, too.
  return `${said}${said.endsWith("/") ? "" : " "}${text}`;
}
