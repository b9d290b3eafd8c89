import { type Candidate, type Completion, completionOf } from "../completions/candidates.ts";
import type { Invocation } from "../command-line/command.ts";
import { openProject } from "../project/open-project.ts";
import { printOut } from "../report/terminal.ts";
import { visibleText } from "../report/visible-text.ts";

/** Somebody waits at a prompt: a project that takes longer to evaluate is not completed until a run has. */
const longestWaitMs = 3_000;

/**
 * `cuenv __complete -- WORD…`: what could stand in the place of the last word. Never fails and says nothing else: an error would be written
 * into the line that somebody types.
 */
export async function runComplete(invocation: Invocation): Promise<number> {
  // Nothing is lost by it: whatever is made on disk is put in place by rename.
  setTimeout(() => process.exit(0), longestWaitMs).unref();
  try {
    const { completion, folder, packageName } = completionOf(invocation.rest ?? invocation.names);
    if (folder !== undefined) process.chdir(folder);
    printOut(linesOf(await listed(completion, packageName)));
  } catch {
    // No project, or one that cannot be evaluated just now: there is nothing to offer.
  }
  return 0;
}

async function listed(
  completion: Completion,
  packageName: string | undefined,
): Promise<"files" | "folders" | readonly Candidate[]> {
  switch (completion.kind) {
    case "these":
      return completion.candidates;
    case "files":
    case "folders":
      return completion.kind;
    case "tasks":
    case "environments":
      return await projectNames(completion, packageName);
  }
}

async function projectNames(
  { kind, prefix, begun, taken }: Completion & { readonly kind: "tasks" | "environments" },
  packageName: string | undefined,
): Promise<readonly Candidate[]> {
  // An environment that is half written is none yet.
  const { CUENV_ENV: _, ...env } = process.env;
  process.env = env;
  const { project } = await openProject({ flags: {}, names: [], rest: undefined }, { packageName });
  const names: readonly Candidate[] =
    kind === "tasks"
      ? Object.values(project.tasks).map(({ name, description = "" }) => ({
          value: name,
          what: description,
        }))
      : project.environments.map((value) => ({ value, what: "" }));
  return names
    .filter(({ value }) => value.startsWith(begun) && !taken.includes(value))
    .map(({ value, what }) => ({ value: prefix + value, what }));
}

/** A value with a tab or a newline cannot be told apart from two. */
function linesOf(found: "files" | "folders" | readonly Candidate[]): string {
  if (typeof found === "string") return `:${found}\n`;
  return found
    .filter(({ value }) => !/[\t\n\r]/.test(value))
    .map(({ value, what }) => `${value}\t${visibleText(what.replaceAll(/\s+/g, " ").trim())}\n`)
    .join("");
}
