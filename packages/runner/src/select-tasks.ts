import type { Project } from "@cuenv/config";
import { CuenvError, nearName } from "@cuenv/errors";

/** As many task names as an error lists. */
const listedNames = 20;

/**
 * The tasks that `names` ask for, each once: in the order of `names`, those of one pattern in the order of the project.
 * A name that exists is taken literally; else `*` stands for any letters, `:` and `.` included.
 * @throws {CuenvError} RUN_TASK_NOT_FOUND
 */
export function selectTasks(project: Project, names: readonly string[]): string[] {
  const selected = new Set<string>();
  for (const name of names) {
    if (Object.hasOwn(project.tasks, name)) selected.add(name);
    else for (const match of matchPattern(project, name)) selected.add(match);
  }
  return [...selected];
}

function matchPattern(project: Project, name: string): string[] {
  const all = Object.keys(project.tasks);
  const matches = name.includes("*") ? all.filter((task) => matchesPattern(name, task)) : [];
  if (matches.length > 0) return matches;
  const near = nearName(name, all);
  const rest = all.length > listedNames ? `, and ${all.length - listedNames} more` : "";
  const list =
    all.length === 0
      ? "the project has no tasks"
      : `tasks: ${all.slice(0, listedNames).join(", ")}${rest}`;
  throw new CuenvError(
    "RUN_TASK_NOT_FOUND",
    `cannot run ${JSON.stringify(name)}: ${name.includes("*") ? "no task matches it" : "there is no task of that name"}`,
    { hint: near === undefined ? list : `did you mean ${JSON.stringify(near)}? ${list}` },
  );
}

/** Linear in the two lengths, unlike a regular expression with several `.*`. */
function matchesPattern(pattern: string, name: string): boolean {
  const parts = pattern.split("*");
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
    return false;
  let position = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, position);
    if (found === -1) return false;
    position = found + part.length;
  }
  return position <= name.length - last.length;
}
