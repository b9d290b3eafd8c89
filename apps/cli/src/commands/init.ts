import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { flagText } from "../command-line/given.ts";
import { cueFile } from "../init/cue-text.ts";
import type { Draft } from "../init/draft.ts";
import { draftOrigins, makeDraft } from "../init/make-draft.ts";
import { printErr, printOut } from "../report/terminal.ts";
import { visibleText } from "../report/visible-text.ts";

/** `cuenv init`: writes an env.cue from package.json, turbo.json or nx.json. Never over one that is there. */
export async function runInit(invocation: Invocation): Promise<number> {
  const from = flagText(invocation, "from");
  const origin = draftOrigins.find((each) => each === from);
  if (from !== undefined && origin === undefined)
    throw new CuenvError("USAGE", `cannot use --from ${from}: it is scripts, turbo or nx`);
  const draft = makeDraft(process.cwd(), origin);
  const text = cueFile(draft);
  const print = invocation.flags["print"] === true;
  const file = join(process.cwd(), "env.cue");
  if (!print) writeNew(file, text);
  if (invocation.flags["json"] === true) {
    printOut(`${JSON.stringify(document(draft, file, print ? text : undefined))}\n`);
  } else if (print) {
    printOut(text);
    printErr(explanation(draft));
  } else {
    printOut(`Wrote ${file}, from ${draft.sources.join(", ")}\n${explanation(draft)}`);
  }
  return 0;
}

/** By O_EXCL: also one that somebody else makes in this moment stays. */
function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "EEXIST")
      throw new CuenvError("INIT_CANNOT_WRITE", `cannot write ${file}: ${String(code ?? error)}`, {
        cause: error,
        hint: "cuenv init --print prints it instead.",
      });
    throw new CuenvError("INIT_FILE_EXISTS", `cannot write ${file}: it is there already`, {
      hint: "cuenv init --print prints what it would write.",
    });
  }
}

/** @param text what was only printed */
function document(draft: Draft, file: string, text: string | undefined): Record<string, unknown> {
  return {
    version: 1,
    file,
    written: text === undefined,
    text: text ?? null,
    sources: draft.sources,
    tasks: draft.tasks.map(({ name, fields }) => ({ name, cached: fields["cache"] === true })),
    notes: draft.notes.map(({ task = null, message }) => ({ task, message })),
  };
}

function explanation({ tasks, notes }: Draft): string {
  const cached = tasks.filter(({ fields }) => fields["cache"] === true).length;
  const count = `${tasks.length} ${tasks.length === 1 ? "task" : "tasks"}, ${cached} of them cached`;
  const [first] = tasks;
  const lines = notes.map(
    ({ task, message }) => `  ${visibleText(`${task === undefined ? "" : `${task}: `}${message}`)}`,
  );
  return [
    `${count}.`,
    ...(notes.length === 0 ? [] : ["Not as it was, or to be looked at:", ...lines]),
    ...(first === undefined ? [] : [`Try it: cuenv task ${shown(first.name)}`]),
    "",
  ].join("\n");
}

function shown(name: string): string {
  return /^[\w:.@/-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}
