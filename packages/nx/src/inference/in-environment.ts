import type { InspectedProject } from "./inspection.ts";

/**
 * The projects, as the option `environment` has them: those that do not have it are as they are without one. One that no project has is a slip, and a build
 * with the wrong variables is worse than none: then each of them is wrong.
 */
export function inEnvironment(
  projects: readonly InspectedProject[],
  environment: string | undefined,
): readonly InspectedProject[] {
  if (environment === undefined) return projects;
  const sound = projects.filter(({ error }) => error === null);
  if (sound.some((project) => project.environment === environment)) return projects;
  const names = [...new Set(sound.flatMap((project) => project.environments.map(nameOf)))];
  const error = {
    code: "CONFIG_UNKNOWN_ENVIRONMENT",
    message: `cannot use environment ${JSON.stringify(environment)}, which the options of @cuenv/nx in nx.json name: no env.cue has it`,
    hint: names.length === 0 ? "no env.cue has environments" : `there are ${names.join(", ")}`,
    file: null,
    line: null,
    column: null,
  };
  return projects.map((project) =>
    project.error === null
      ? { ...project, error, writtenTasks: project.tasks.map(({ name }) => name), tasks: [] }
      : project,
  );
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}
