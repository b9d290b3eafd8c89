import type { Files } from "./build-model.ts";
import { isIgnored } from "./ignored-files.ts";
import { paths } from "./sources.ts";

/** For `find`. */
export const anyFile = "\\( -type f -o -type l \\)";

/** Some of the source files: as a pattern of `inputs`, as a shell command that lists them, and as a test. */
export interface Selector {
  readonly pattern: string;
  /** What it names: where that is ignored, what is below it counts. Without it, each file is named. */
  readonly base?: string;
  readonly find: string;
  readonly matches: (path: string) => boolean;
}

/** Each is one file, one folder, or what a glob matches. */
export const selectors: readonly Selector[] = [
  ...["src/a.txt", "src/d/e.txt", "j.txt", "src/not-there.txt", "src/d/g/h.txt"].map((path) => ({
    pattern: path,
    find: `find ${path} ${anyFile}`,
    matches: (other: string) => other === path,
  })),
  ...["src/d", "src/k.txt"].map((folder) => ({
    pattern: folder,
    base: folder,
    find: `find ${folder} ${anyFile}`,
    matches: (path: string) => path === folder || path.startsWith(`${folder}/`),
  })),
  {
    pattern: "src/*.txt",
    base: "src",
    find: `find src -maxdepth 1 ${anyFile} -name '*.txt'`,
    matches: (path) => /^src\/[^/]*\.txt$/.test(path),
  },
  {
    pattern: "src/**/*.md",
    base: "src",
    find: `find src ${anyFile} -name '*.md'`,
    matches: (path) => path.startsWith("src/") && path.endsWith(".md"),
  },
  {
    pattern: "src/d/**",
    base: "src/d",
    find: `find src/d ${anyFile}`,
    matches: (path) => path.startsWith("src/d/"),
  },
  {
    pattern: "src/{a,b}.{txt,md}",
    find: `find src/a.txt src/b.txt src/a.md src/b.md ${anyFile}`,
    matches: (path) => /^src\/[ab]\.(?:txt|md)$/.test(path),
  },
];

/** What `!` takes out of the inputs again, whatever names it. */
export interface Exclusion {
  readonly pattern: string;
  /** For `grep`. */
  readonly expression: string;
}

/** None is a file that a link may lead to: what is read through that would not count. */
export const exclusions: readonly Exclusion[] = [
  { pattern: "src/a.txt", expression: "^src/a\\.txt$" },
  { pattern: "src/d/g", expression: "^src/d/g/" },
  { pattern: "src/**/*.md", expression: "^src/.*\\.md$" },
  { pattern: "src/*/f.md", expression: "^src/[^/]*/f\\.md$" },
  { pattern: "src/k.txt/**", expression: "^src/k\\.txt/" },
  { pattern: "**/.gitignore", expression: "\\(^\\|/\\)\\.gitignore$" },
];

export function isExcluded({ expression }: Exclusion, path: string): boolean {
  const unified = expression.replaceAll("\\(", "(").replaceAll("\\|", "|").replaceAll("\\)", ")");
  return new RegExp(unified, "u").test(path);
}

/** All of the project that git does not ignore has the root as its base. */
const bases = ["", ...new Set(selectors.flatMap(({ base }) => base ?? []))];

/** Whether a path below a base counts for what git ignores. */
export function counts(sources: Files, path: string, base: string | undefined): boolean {
  if (base === undefined || !isIgnored(sources, path)) return true;
  return base !== "" && isIgnored(sources, base);
}

/** Beside the workspace, so that it is nobody's input: scripts do not read what is in it. */
function ignoredList(base: string): string {
  return `../ignored-${base.replaceAll("/", "-")}`;
}

/** A command that lists files without those that do not count. */
export function withoutIgnored(find: string, base: string | undefined): string {
  return base === undefined ? find : `${find} | grep -vxFf ${ignoredList(base)}`;
}

/** The lists by their names. They do not depend on which of the files are there. */
export function ignoredLists(sources: Files): ReadonlyMap<string, string> {
  const all = [...new Set([...paths, ...sources.keys(), "env.cue"])];
  return new Map(
    bases.map((base) => {
      const ignored = all.filter((path) => !counts(sources, path, base));
      return [ignoredList(base), ignored.map((path) => `${path}\n`).join("")];
    }),
  );
}

/** Whether tasks see no other files for what git ignores. */
export function ignoreTheSame(left: Files, right: Files): boolean {
  const lists = ignoredLists(right);
  return [...ignoredLists(left)].every(([name, text]) => lists.get(name) === text);
}
