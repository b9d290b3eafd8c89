import {
  otherCacheVariables,
  settingVariables,
  userConfigDirectory,
  type Warning,
} from "@cuenv/config";
import { nearName } from "@cuenv/errors";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "./read-configuration.ts";

/** What no run says, because it would be a guess: misspelt variables, and files of earlier designs that nothing reads. */
export function otherFindings({ projectDirectory }: Configuration): readonly Warning[] {
  return [...misspeltVariables(process.env), ...unreadFiles(projectDirectory)];
}

function misspeltVariables(environment: NodeJS.ProcessEnv): readonly Warning[] {
  const known = [...Object.values(settingVariables).flat(), ...otherCacheVariables];
  return Object.keys(environment).flatMap((name) => {
    if (!/^CUENV_(?:REMOTE_)?CACHE/.test(name) || known.includes(name)) return [];
    const near = nearName(name, known);
    if (near === undefined) return [];
    const suggestion = `did you mean ${near}?`;
    const message = `the variable ${name} is not a setting and has no effect: ${suggestion}`;
    return [{ message, field: name, suggestion, kind: "unknown" as const }];
  });
}

/** cuenv 0.4 described these. */
function unreadFiles(projectDirectory: string | undefined): readonly Warning[] {
  const places = [
    ...(projectDirectory === undefined
      ? []
      : [[join(projectDirectory, ".cuenv", "cache.json"), "cuenv.cache.json"] as const]),
    [
      join(userConfigDirectory(process.env), "cache.json"),
      "config.json beside it, below the field `cache`",
    ] as const,
  ];
  return places.flatMap(([file, instead]) => {
    if (!existsSync(file)) return [];
    const suggestion = `write its settings to ${instead}`;
    const message = `${file} is not read: ${suggestion}`;
    return [{ message, location: { file }, suggestion }];
  });
}
