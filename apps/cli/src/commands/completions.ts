import { CuenvError, nearName } from "@cuenv/errors";
import { completedShells, shellScripts } from "../completions/shell-scripts.ts";
import type { Invocation } from "../command-line/command.ts";
import { printOut } from "../report/terminal.ts";

/** `cuenv completions SHELL`: prints the script that makes a shell ask us. */
export async function runCompletions(invocation: Invocation): Promise<number> {
  const [name, more] = invocation.names;
  const shell = completedShells.find((candidate) => candidate === name);
  if (shell === undefined || more !== undefined) {
    const found =
      name === undefined ? "no shell was given" : `"${more ?? name}" is none that is known`;
    const near = name === undefined ? undefined : nearName(name, completedShells);
    throw new CuenvError("USAGE", `cannot print completions: ${found}`, {
      hint: near === undefined ? "The shells are bash, zsh and fish." : `Did you mean ${near}?`,
    });
  }
  const script = shellScripts[shell];
  printOut(
    invocation.flags["json"] === true
      ? `${JSON.stringify({ version: 1, shell, script })}\n`
      : script,
  );
  return 0;
}
