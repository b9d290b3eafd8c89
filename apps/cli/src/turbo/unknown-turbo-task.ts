import { spawnSync } from "node:child_process";
import { CuenvError, nearName } from "@cuenv/errors";

/** As many names as the hint lists. */
const listedNames = 20;
/** `turbo ls` reads package.json files and turbo.json only (1 min). */
const listTimeoutMs = 60_000;

export interface FailedDryRun {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly packageName: string;
  readonly task: string;
  /** What turbo said, without colours. */
  readonly stderr: string;
}

/**
 * The error to throw where turbo failed since there is no such package or task, with the names that are near.
 * Undefined: it failed for another reason. The words are those of turbo 2.9 to 2.11.
 */
export function unknownTurboTask(failed: FailedDryRun): CuenvError | undefined {
  const { packageName, task, stderr } = failed;
  const cannot = `cannot explain ${packageName}#${task}`;
  if (stderr.includes("No package found with name")) {
    const packages = listedBy(failed, []);
    const near = nearName(packageName, packages);
    return new CuenvError("USAGE", `${cannot}: turbo knows no package "${packageName}"`, {
      hint: hintOf(near && `${near}#${task}`, "packages", packages),
    });
  }
  if (!stderr.includes("Could not find task")) return undefined;
  const tasks = listedBy(failed, [packageName]);
  const message = `${cannot}: turbo.json has no task "${task}"`;
  if (tasks.includes(task))
    return new CuenvError("USAGE", message, {
      hint: `${packageName} has a script of that name, but turbo runs only what stands below "tasks" in turbo.json.`,
    });
  const near = nearName(task, tasks);
  return new CuenvError("USAGE", message, {
    hint: hintOf(near && `${packageName}#${near}`, `tasks of ${packageName}`, tasks),
  });
}

function hintOf(near: string | undefined, what: string, names: readonly string[]): string {
  const rest = names.length > listedNames ? `, and ${names.length - listedNames} more` : "";
  const list =
    names.length === 0
      ? "turbo ls shows the packages, turbo ls PACKAGE its tasks."
      : `${what}: ${names.slice(0, listedNames).join(", ")}${rest}`;
  return near === undefined ? list : `did you mean ${near}? ${list}`;
}

/** The packages, or the tasks of one; none where this turbo cannot list them. */
function listedBy(
  { program, env }: FailedDryRun,
  packageNames: readonly string[],
): readonly string[] {
  const { stdout } = spawnSync(program, ["ls", ...packageNames, "--output=json"], {
    env,
    encoding: "utf8",
    timeout: listTimeoutMs,
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    return namesIn(JSON.parse(stdout.slice(stdout.indexOf("{"))) as TurboListing);
  } catch {
    return [];
  }
}

interface Named {
  readonly name: string;
}

/** Of all packages; of one, `packages` is a list that has it. */
interface TurboListing {
  readonly packages:
    | { readonly items: readonly Named[] }
    | readonly { readonly tasks: { readonly items: readonly Named[] } }[];
}

function namesIn({ packages }: TurboListing): readonly string[] {
  const items = "items" in packages ? packages.items : packages.flatMap((each) => each.tasks.items);
  return items.map(({ name }) => name);
}
