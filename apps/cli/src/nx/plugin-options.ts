import { join } from "node:path";
import { fieldOf, isObject, objectOf, readJsonObject, textOf } from "../init/json-file.ts";

/** Of `@cuenv/nx` in nx.json, those that decide what a task is. */
export interface PluginOptions {
  readonly environment?: string | undefined;
  readonly package?: string | undefined;
}

/** None where nx.json cannot be read: Nx says so itself. */
export function pluginOptions(root: string): PluginOptions {
  try {
    const plugins = fieldOf(readJsonObject(join(root, "nx.json")), "plugins");
    if (!Array.isArray(plugins)) return {};
    const own = plugins
      .filter((each) => isObject(each))
      .find((each) => textOf(each, "plugin") === "@cuenv/nx");
    const options = objectOf(own, "options");
    return { environment: textOf(options, "environment"), package: textOf(options, "package") };
  } catch {
    return {};
  }
}
