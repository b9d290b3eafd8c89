import type { GeneratorCallback, Tree } from "../../nx-api.ts";
import { writeEnvFile } from "../write-env-file.ts";

/** schema/configuration-generator.schema.json */
export interface ConfigurationOptions {
  readonly project: string;
  readonly skipFormat?: boolean;
}

/** `nx g @cuenv/nx:configuration PROJECT`: the env.cue of a project that Nx knows, from its targets and scripts. */
export default async function configuration(
  tree: Tree,
  { project, skipFormat }: ConfigurationOptions,
): Promise<GeneratorCallback> {
  const { formatFiles, getProjects } = await import("@nx/devkit");
  const projects = getProjects(tree);
  const found = projects.get(project);
  if (found === undefined)
    throw new Error(
      `cannot write an env.cue for ${project}: there is no such project, only ${[...projects.keys()].join(", ")}`,
    );
  const said = writeEnvFile(tree, found.root);
  if (skipFormat !== true) await formatFiles(tree);
  return () => process.stdout.write(`${said}\n`);
}
