import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { foldersAbove } from "@cuenv/digest";

/** The program of the project, as npx finds it; else that of PATH. Never one that another user of the machine put into /tmp, below which somebody works. */
export function findTurbo(from: string): string {
  const file = [...foldersAbove(from)]
    .map((folder) => join(folder, "node_modules", ".bin", "turbo"))
    .find((path) => existsSync(path));
  return file ?? "turbo";
}

/** Where turbo works: its `--cwd`, else the current folder. */
export function turboDirectory(args: readonly string[]): string {
  const at = args.findIndex((arg) => arg === "--" || /^--cwd(?:=|$)/.test(arg));
  const given = args[at]?.startsWith("--cwd=") === true ? args[at].slice(6) : args[at + 1];
  return at < 0 || args[at] === "--" ? process.cwd() : resolve(given ?? "");
}

/** The repository's root: the nearest folder with a turbo.json that is no package's (those extend it). */
export function turboRoot(from: string): string {
  return turboFolder(from) ?? from;
}

/** Undefined: there is no such turbo.json here or above. */
export function turboFolder(from: string): string | undefined {
  return [...foldersAbove(from)].find((folder) =>
    ["turbo.json", "turbo.jsonc"].some((name) => {
      const text = textOf(join(folder, name));
      return text !== undefined && !/"extends"\s*:/.test(text);
    }),
  );
}

/** Whether `turbo link` tied the repository to a team of a remote cache of turbo's own. */
export function isLinked(root: string): boolean {
  const text = textOf(join(root, ".turbo", "config.json"));
  return text !== undefined && /"team(?:id|slug)"\s*:\s*"/i.test(text);
}

function textOf(path: string): string | undefined {
  try {
    // Reading a FIFO would wait for a writer.
    return statSync(path).isFile() ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
