import { existsSync } from "node:fs";
import { join } from "node:path";
import type { GeneratorCallback, Tree } from "../../nx-api.ts";
import { isPlainJson, withListEntry } from "../../json-comments.ts";
import { isObject, type JsonObject } from "../../json-object.ts";
import { objectOf, readJson, writeJson } from "../tree-json.ts";
import { writeEnvFile } from "../write-env-file.ts";

/** schema/init-generator.schema.json */
export interface InitOptions {
  /** The project that gets the first env.cue; default: the first that has targets or scripts. */
  readonly project?: string;
  readonly skipEnv?: boolean;
  readonly skipFormat?: boolean;
}

const plugin = "@cuenv/nx";

/** `nx add @cuenv/nx`, `nx g @cuenv/nx:init`: registers the plugin, and writes a first env.cue where there is none yet. */
export default async function init(
  tree: Tree,
  options: InitOptions = {},
): Promise<GeneratorCallback> {
  const { formatFiles, getProjects } = await import("@nx/devkit");
  const said: string[] = [registerPlugin(tree)];
  const projects = [...getProjects(tree)].map(([name, { root }]) => ({ name, root }));
  if (options.skipEnv !== true) said.push(firstEnvFile(tree, projects, options.project));
  if (options.skipFormat !== true) await formatFiles(tree);
  return () => process.stdout.write(`${said.filter((line) => line !== "").join("\n")}\n`);
}

function registerPlugin(tree: Tree): string {
  const nxJson = readJson(tree, "nx.json") ?? {};
  const plugins = Array.isArray(nxJson["plugins"]) ? (nxJson["plugins"] as unknown[]) : [];
  const isThere = plugins.some(
    (each) => each === plugin || (isObject(each) && each["plugin"] === plugin),
  );
  if (isThere) return "";
  const text = tree.read("nx.json", "utf-8");
  if (text === null || isPlainJson(text))
    writeJson(tree, "nx.json", { ...nxJson, plugins: [...plugins, { plugin, options: {} }] });
  else
    tree.write(
      "nx.json",
      withListEntry(text, "plugins", `{ "plugin": "${plugin}", "options": {} }`),
    );
  return `Registered ${plugin} in nx.json: every env.cue is a project's, and its tasks are targets.`;
}

interface NamedProject {
  readonly name: string;
  readonly root: string;
}

function firstEnvFile(
  tree: Tree,
  projects: readonly NamedProject[],
  wanted: string | undefined,
): string {
  const having = projects.filter(({ root }) => tree.exists(`${root}/env.cue`));
  if (wanted === undefined && having.length > 0)
    return `There are env.cue files already, of ${having.map(({ name }) => name).join(", ")}.`;
  const project =
    wanted === undefined
      ? projects
          .toSorted((left, right) => (left.root < right.root ? -1 : 1))
          .find(({ root }) => hasTargets(tree, root))
      : projects.find(({ name }) => name === wanted);
  if (project === undefined) {
    if (wanted !== undefined)
      throw new Error(
        `cannot write an env.cue for ${wanted}: there is no such project, only ${projects.map(({ name }) => name).join(", ")}`,
      );
    return "No project has targets or scripts yet: write an env.cue in a folder, and it is one.";
  }
  const more = projects.length > 1 ? `\nFor others: nx g ${plugin}:configuration PROJECT` : "";
  return `${writeEnvFile(tree, project.root)}${more}`;
}

function hasTargets(tree: Tree, root: string): boolean {
  const written = (file: JsonObject | undefined): boolean =>
    Object.keys(objectOf(file, "targets")).length > 0 ||
    Object.keys(objectOf(file, "scripts")).length > 0;
  return (
    written(readJson(tree, `${root}/project.json`)) ||
    // What is only in the generator's memory cuenv cannot read.
    (existsSync(join(tree.root, root, "package.json")) &&
      written(readJson(tree, `${root}/package.json`)))
  );
}
