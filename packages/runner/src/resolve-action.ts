import type { CommandTask } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { bindParameters } from "./bind-parameters.ts";
import { fillArgument, fillScript, isPosixShell } from "./fill-placeholders.ts";
import { type OutputsOf, referencedOutput } from "./output-reference.ts";
import { shellQuote } from "./shell-quote.ts";

export interface ResolveActionOptions {
  /** The arguments after `--`. */
  readonly args: readonly string[];
  readonly outputsOf: OutputsOf;
}

/**
 * The argv that a task's process is started with. Arguments go to the task's parameters when it has any (and those
 * after a further `--` to the command), else to the command: appended to its argv; to a command line, quoted; to a
 * script, as its `$1`, `$2` …
 * @throws {CuenvError} RUN_ARGUMENTS, RUN_OUTPUT_REFERENCE, CONFIG_REFUSED
 */
export function resolveAction(
  task: CommandTask,
  options: ResolveActionOptions,
): { readonly argv: readonly string[] } {
  const { action } = task;
  const hasParameters = task.parameters.length > 0;
  const { values, rest: args } = hasParameters
    ? bindParameters(task, options.args)
    : { values: new Map<string, string>(), rest: options.args };
  switch (action.kind) {
    case "argv": {
      const words = action.argv.map((word) =>
        typeof word === "string"
          ? fillArgument(word, values)
          : referencedOutput(word, options.outputsOf),
      );
      return { argv: [...words, ...args] };
    }
    case "shell": {
      const program = action.shell[0] ?? "sh";
      const script = fillScript(action.script, program, values);
      if (args.length === 0) return { argv: [...action.shell, script] };
      if (action.appendArguments)
        return { argv: [...action.shell, `${script.trimEnd()} ${args.map(shellQuote).join(" ")}`] };
      // After the script, a shell takes $0 first. Its own name keeps its messages as they are without arguments.
      return {
        argv: [...action.shell, script, ...(isPosixShell(program) ? [program] : []), ...args],
      };
    }
    case "refused":
      throw new CuenvError("CONFIG_REFUSED", action.message, { hint: action.hint });
  }
}
