import { checksum, compareUtf8, type Seal, sealText, unsealText } from "@cuenv/digest";
import type { Executable } from "./find-executable.ts";
import { compileNames } from "./name-matcher.ts";
import { passThroughVariables } from "./environment-lists.ts";
import { runTool, type ToolAnswer } from "./run-tool.ts";
import { createToolAnswers, type ToolQuestion } from "./tool-answers.ts";

/** What the `runtime` commands printed, in the order given and each once; or which of them could not, and why. */
export type ToolOutputs =
  | {
      readonly kind: "probed";
      readonly outputs: readonly { readonly command: string; readonly output: string }[];
    }
  | { readonly kind: "failed"; readonly command: string; readonly text: string };

/**
 * Runs the `runtime` commands of tasks, `node --version`, each once in a run (but see `lookAgain`); and not again in later runs as long as the
 * program that it starts is the same file. Only what asks a program for its version is remembered that long (`git rev-parse HEAD`
 * and `cat .tool-version` depend on more than the program), without shell syntax, and only when what the program prints is
 * said by its own file: that of a shim, or of a tool that is worked on, may be said by another one (see {@link findExecutable}).
 *
 * A command runs in the project's folder, with PATH from the task's environment and what else passes through to every
 * task. What a task declares is in its key anyway.
 */
export interface ToolProbe {
  probe(
    commands: readonly string[],
    env: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<ToolOutputs>;
  /** A task has run, and may have installed or replaced a tool: what failed, and what another file answers now, is asked again in this run, too. */
  lookAgain(): void;
  /** The text to keep for the next run; undefined when nothing was learnt, or there is no seal for it. */
  serialize(): string | undefined;
}

interface Remembered {
  readonly command: string;
  readonly path: string;
  /** What the program's file was. */
  readonly identity: string;
  readonly output: string;
}

const memoVersion = 1;
/** Programs of other branches and versions are kept up to this number. */
const maxRemembered = 500;
const nothing: ToolOutputs = { kind: "probed", outputs: [] };

/**
 * @param options.directory absolute path of the project's folder
 * @param options.memo what `serialize` gave in an earlier run
 * @param options.seal asked when the memo is read and when it is made; without one, neither is done. Default: a checksum
 */
export function createToolProbe(options: {
  readonly directory: string;
  readonly memo: string | undefined;
  readonly seal?: () => Seal | undefined;
}): ToolProbe {
  const { memo, seal = () => checksum } = options;
  const known = memo === undefined ? new Map<string, Remembered>() : parseMemo(memo, seal());
  let learnt = false;
  const probeOne = async (
    { command, env, signal }: ToolQuestion,
    executable: Executable | undefined,
  ): Promise<ToolAnswer> => {
    const identity = asksForVersion(executable?.argv) ? executable?.identity : undefined;
    const remembered = known.get(`${command}\0${executable?.path}`);
    if (identity !== undefined && remembered?.identity === identity) return remembered;
    const result = await runTool({
      command,
      argv: executable?.argv,
      directory: options.directory,
      env,
      signal,
    });
    if (identity !== undefined && "output" in result) {
      known.set(`${command}\0${executable?.path}`, {
        command,
        path: executable?.path ?? "",
        identity,
        output: result.output,
      });
      learnt = true;
    }
    return result;
  };
  const answers = createToolAnswers(options.directory, probeOne);
  return {
    probe: async (commands, env, signal) => {
      if (commands.length === 0) return nothing;
      const outputs = [];
      // A task may set them for itself: what asks JAVA_HOME is another tool then, also in the run of a task that does not.
      const seen = toolEnvironment(env);
      const environment = JSON.stringify(seen);
      for (const command of new Set(commands)) {
        const result = await answers.of(`${command}\0${environment}`, {
          command,
          env: seen,
          signal,
        });
        if ("failure" in result) return { kind: "failed", command, text: result.failure };
        outputs.push({ command, output: result.output });
      }
      return { kind: "probed", outputs };
    },
    lookAgain: () => answers.lookAgain(),
    serialize: () => (learnt ? sealText(formatMemo(known), seal()) : undefined),
  };
}

/** `go version` is none: it prints what go.mod asks for. */
function asksForVersion([, flag = "", ...more]: readonly string[] = []): boolean {
  return more.length === 0 && /^(?:--?version|-[vV]|-vV)$/.test(flag);
}

/** {@link createToolProbe} for one call: nothing is remembered. */
export async function probeTools(
  commands: readonly string[],
  options: {
    readonly directory: string;
    readonly env: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  },
): Promise<ToolOutputs> {
  const probe = createToolProbe({ directory: options.directory, memo: undefined });
  return probe.probe(commands, options.env, options.signal);
}

const passesThrough = compileNames(passThroughVariables);

function toolEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env)
      .filter(([name]) => passesThrough(name))
      .toSorted(([left], [right]) => compareUtf8(left, right)),
  );
}

function formatMemo(known: ReadonlyMap<string, Remembered>): string {
  return JSON.stringify({
    version: memoVersion,
    tools: [...known.values()].slice(-maxRemembered),
  });
}

function parseMemo(text: string, seal: Seal | undefined): Map<string, Remembered> {
  const known = new Map<string, Remembered>();
  try {
    const memo = JSON.parse(unsealText(text, seal) ?? "null") as {
      version?: unknown;
      tools?: unknown;
    } | null;
    if (memo?.version !== memoVersion || !Array.isArray(memo.tools)) return known;
    for (const tool of memo.tools as Partial<Remembered>[]) {
      const { command, path, identity, output } = tool;
      if (typeof command !== "string" || typeof path !== "string") continue;
      if (typeof identity !== "string" || typeof output !== "string") continue;
      known.set(`${command}\0${path}`, { command, path, identity, output });
    }
  } catch {
    // A damaged memo is an empty one.
  }
  return known;
}
