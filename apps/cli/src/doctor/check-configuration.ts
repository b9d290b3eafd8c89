import type { TrustPolicy } from "@cuenv/cache";
import type { CacheSettings } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { type OpenProject, openProject, openSettingsAlone } from "../project/open-project.ts";
import { formatLocation } from "../report/report-error.ts";
import { broken, type Check, note, ok } from "./check.ts";

export interface CheckedConfiguration {
  readonly checks: readonly Check[];
  /** Undefined: not even the settings can be read, so what they would say is not known. */
  readonly settings: CacheSettings | undefined;
  readonly trust: TrustPolicy | undefined;
  /** Undefined: not in a project. */
  readonly workspaceRoot: string | undefined;
}

/** env.cue and the settings files: whether they can be read, and what they warn of. */
export async function checkConfiguration(invocation: Invocation): Promise<CheckedConfiguration> {
  try {
    const open = await openProject(invocation, { remember: false });
    return {
      checks: projectChecks(open),
      settings: open.cache.settings,
      trust: open.trust,
      workspaceRoot: open.workspaceRoot,
    };
  } catch (error) {
    if (!(error instanceof CuenvError)) throw error;
    const checks = failureChecks(error);
    try {
      const { settings, trust, workspaceRoot } = await openSettingsAlone(invocation);
      const isOutside = error.code === "PROJECT_NOT_FOUND";
      return { checks, settings, trust, workspaceRoot: isOutside ? undefined : workspaceRoot };
    } catch {
      // It is the settings themselves: told above.
      return { checks, settings: undefined, trust: undefined, workspaceRoot: undefined };
    }
  }
}

function projectChecks({ project, projectDirectory }: OpenProject): Check[] {
  const count = Object.keys(project.tasks).length;
  const tasks = `${count} ${count === 1 ? "task" : "tasks"}`;
  return [
    ok("configuration", `${projectDirectory} has ${tasks}`),
    ...project.warnings.map(({ message, location }) =>
      note(
        "configuration",
        location === undefined ? message : `${formatLocation(location)}: ${message}`,
      ),
    ),
  ];
}

function failureChecks(error: CuenvError): Check[] {
  if (error.code === "PROJECT_NOT_FOUND")
    return [
      note(
        "configuration",
        "no env.cue in this folder or a folder above it",
        "cuenv init writes one from package.json, turbo.json or nx.json.",
      ),
    ];
  return [error, ...error.others].map(({ code, message, hint, location }) => {
    const place = location === undefined ? "" : `${formatLocation(location)}: `;
    return broken("configuration", `${place}${message} [${code}]`, hint);
  });
}
