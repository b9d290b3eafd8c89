import type { Files } from "./build-model.ts";

/** Lines of `.gitignore` files of which each says something of some source, in one folder or another. */
export const ignoreLines = [
  "*.md",
  "!c.md",
  "!f.md",
  "/src/d/",
  "/d",
  "d/*",
  "!d/e.txt",
  "g/",
  "b.txt",
  "src/**/h.txt",
  "**/e.txt",
  "/k.txt",
  "k.txt/",
  "!k.txt",
  "# *.txt",
  "a.tx?",
  "!*.txt",
];

interface Rule {
  readonly takesBack: boolean;
  readonly ofFolders: boolean;
  readonly pattern: RegExp;
}

function ruleOf(line: string): Rule | undefined {
  if (line === "" || line.startsWith("#")) return undefined;
  const takesBack = line.startsWith("!");
  const ofFolders = line.endsWith("/");
  const words = line.slice(takesBack ? 1 : 0, ofFolders ? -1 : undefined);
  const isAnchored = words.includes("/");
  const expression = words
    .replace(/^\//, "")
    .replaceAll(".", "\\.")
    .replaceAll("**/", "<any>")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]")
    .replaceAll("<any>", "(?:.*/)?");
  const pattern = new RegExp(`^${isAnchored ? "" : "(?:.*/)?"}${expression}$`, "u");
  return { takesBack, ofFolders, pattern };
}

/** Whether git ignores a source, or a folder of sources: the deepest `.gitignore` that says something, and its last line that does. */
export function isIgnored(sources: Files, path: string): boolean {
  const isFolder = [...sources.keys()].some((other) => other.startsWith(`${path}/`));
  const above = path.split("/").slice(0, -1);
  const folders = above.map((_, at) => above.slice(0, at + 1).join("/"));
  if (folders.some((folder) => saidOf(sources, folder, true) === true)) return true;
  return saidOf(sources, path, isFolder) === true;
}

function saidOf(sources: Files, path: string, isFolder: boolean): boolean | undefined {
  const parts = path.split("/");
  for (let depth = parts.length - 1; depth >= 0; depth -= 1) {
    const file = sources.get([...parts.slice(0, depth), ".gitignore"].join("/"));
    const below = parts.slice(depth).join("/");
    const last = file?.text
      .split("\n")
      .map(ruleOf)
      .findLast(
        (rule) => rule !== undefined && (isFolder || !rule.ofFolders) && rule.pattern.test(below),
      );
    if (last !== undefined) return !last.takesBack;
  }
  return undefined;
}
