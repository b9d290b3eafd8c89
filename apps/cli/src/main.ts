import { CuenvError } from "@cuenv/errors";
import { helpText } from "./command-line/help.ts";
import { type CompiledCode, setCompiledCode } from "./compiled-code.ts";
import { parseCommandLine } from "./command-line/parse-command-line.ts";
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
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(argv);
  switch (parsed.kind) {
    case "version":
      printOut(`${cuenvVersion()}\n`);
      return 0;
    case "help":
      printOut(helpText(parsed.command, parsed.topic));
      return 0;
    case "command": {
      const directory = parsed.invocation.flags["directory"];
      if (typeof directory === "string") changeDirectory(directory);
      const run = await parsed.command.load();
      return run(parsed.invocation);
    }
  }
}

function changeDirectory(directory: string): void {
  try {
    process.chdir(directory);
  } catch (cause) {
    throw new CuenvError(
      "USAGE",
      `cannot change to folder ${directory}: it is not there or cannot be entered`,
      { cause },
    );
  }
}
