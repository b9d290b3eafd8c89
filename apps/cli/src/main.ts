import { CuenvError } from "@cuenv/errors";
import type { Command } from "./command-line/command.ts";
import { type CompiledCode, setCompiledCode } from "./compiled-code.ts";
import { parseCommandLine } from "./command-line/parse-command-line.ts";
import { changeDirectory } from "./command-line/change-directory.ts";
import { taskCommand } from "./command-line/task-command.ts";
import { endSoon } from "./end-soon.ts";
import { reportError } from "./report/report-error.ts";
import { printOut } from "./report/terminal.ts";
import { cuenvVersion } from "./version.ts";

/** Runs the command line and sets the exit code of the process. Called by the launcher. */
export async function main(argv: readonly string[], compiledCode?: CompiledCode): Promise<void> {
  setCompiledCode(compiledCode);
  const json = argv
    .slice(0, argv.includes("--") ? argv.indexOf("--") : undefined)
    .some((word) => word === "--json" || word.startsWith("--json="));
  try {
    process.exitCode = await dispatch(argv);
  } catch (error) {
    process.exitCode = reportError(error, json);
  }
  endSoon();
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(argv, await commandsFor(argv));
  switch (parsed.kind) {
    case "version":
      printOut(`${cuenvVersion()}\n`);
      return 0;
    case "help": {
      const { helpText } = await import("./command-line/help.ts");
      printOut(helpText(parsed.command, parsed.topic, process.stdout.columns));
      return 0;
    }
    case "command": {
      const directory = parsed.invocation.flags["directory"];
      if (typeof directory === "string") changeDirectory(directory);
      assertDirectory();
      // Before anything else is loaded, which would have the young generation grow.
      if (parsed.command.serves === true)
        (await import("./serve/small-young-generation.ts")).keepYoungGenerationSmall();
      const run = await parsed.command.load();
      return run(parsed.invocation);
    }
  }
}

/** A run needs no more than its own: the texts of all commands together are as large as the rest of a start. */
async function commandsFor([first = ""]: readonly string[]): Promise<readonly Command[]> {
  if (first === taskCommand.name || taskCommand.aliases.includes(first)) return [taskCommand];
  return (await import("./command-line/command-table.ts")).commands;
}

/** Another process may have removed it under us; everything that looks for a project would call that a bug. */
function assertDirectory(): void {
  try {
    process.cwd();
  } catch (cause) {
    const message = "cannot use the current folder: it was removed, or cannot be entered";
    throw new CuenvError("USAGE", message, {
      hint: "Change to another one, or give -C DIR.",
      cause,
    });
  }
}
