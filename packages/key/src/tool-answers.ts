import { type Executable, fileState, findExecutable } from "./find-executable.ts";
import type { ToolAnswer } from "./run-tool.ts";

export interface ToolQuestion {
  readonly command: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/** What tools said in one run. */
export interface ToolAnswers {
  /** The answer that there is under `id`, which names command and environment; else a new one. */
  of(id: string, question: ToolQuestion): Promise<ToolAnswer>;
  /** A task has run: failures, and answers of a file that is another one now, hold no longer. */
  lookAgain(): void;
}

interface Given {
  readonly answer: Promise<ToolAnswer>;
  /** The file whose answer it is; undefined: a shell's. */
  readonly program: string | undefined;
  /** When that was looked at last; a task that has run begins a new turn. */
  turn: number;
}

/** @param ask runs a command, whose program was found or not */
export function createToolAnswers(
  directory: string,
  ask: (question: ToolQuestion, executable: Executable | undefined) => Promise<ToolAnswer>,
): ToolAnswers {
  const given = new Map<string, Given>();
  let turn = 0;
  return {
    async of(id, question) {
      const now = turn;
      const before = given.get(id);
      if (before?.turn === now) return before.answer;
      const executable = findExecutable(question.command, directory, question.env["PATH"] ?? "");
      const program = programOf(executable);
      if (before !== undefined && before.program === program && holds(await before.answer)) {
        before.turn = now;
        return before.answer;
      }
      // Another task may have asked meanwhile.
      const other = given.get(id);
      if (other !== before && other?.turn === now) return other.answer;
      const answer = ask(question, executable);
      given.set(id, { answer, program, turn: now });
      return answer;
    },
    lookAgain: () => {
      turn += 1;
    },
  };
}

function holds(answer: ToolAnswer): boolean {
  return "output" in answer || answer.isLate;
}

/** Undefined: there is none, or it cannot be looked at. */
function programOf(executable: Executable | undefined): string | undefined {
  try {
    return executable && fileState(executable.path);
  } catch {
    return undefined;
  }
}
