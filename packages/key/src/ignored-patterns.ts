import type { FileIndex } from "@cuenv/digest";
import { compilePatterns } from "./compile-pattern.ts";
import { createIgnoreRules } from "./ignore-rules.ts";

/**
 * The patterns that go to what git ignores, because they name it (`generated/api.ts`, `generated/**`): who only knows the files that git does not ignore
 * does not see what they match.
 *
 * @param options.projectDirectory relative to the index's root
 * @param options.onIgnoreFile called with each path, relative to that root, at which a `.gitignore` was looked for
 * @throws {CuenvError} KEY_GLOB_INVALID
 */
export function ignoredPatterns(options: {
  readonly index: FileIndex;
  readonly projectDirectory: string;
  readonly patterns: readonly string[];
  readonly onIgnoreFile: (path: string) => void;
}): readonly string[] {
  const { index, projectDirectory, patterns, onIgnoreFile } = options;
  const rules = createIgnoreRules(index, onIgnoreFile);
  const { include } = compilePatterns(patterns, projectDirectory);
  const found = include.filter(({ base, baseLength, segments, directoryOnly }) => {
    const names = base.split("/").slice(0, baseLength);
    return names.some((_, place) => {
      const isFolder = place < segments.length - 1 || directoryOnly;
      const path = names.slice(0, place + 1).join("/");
      return rules.ignores(path, isFolder || index.stat(path)?.kind === "directory");
    });
  });
  return [...new Set(found.map(({ source }) => source))];
}
