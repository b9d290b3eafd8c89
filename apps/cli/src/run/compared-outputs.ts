import type { DependencyState } from "@cuenv/cache";

type Outputs = NonNullable<DependencyState["outputs"]>;

/** The paths at which two lists of outputs differ, sorted: what one of them lacks, and what is another file, link or folder in the other. */
export function comparedOutputs(left: Outputs, right: Outputs): readonly string[] {
  const texts = new Map(left.map((entry) => [entry.path, textOf(entry)]));
  const different = new Set(
    right.filter((entry) => texts.get(entry.path) !== textOf(entry)).map(({ path }) => path),
  );
  const paths = new Set(right.map(({ path }) => path));
  for (const { path } of left) if (!paths.has(path)) different.add(path);
  return [...different].toSorted();
}

function textOf(entry: Outputs[number]): string {
  switch (entry.kind) {
    case "file":
      return `file ${entry.digest.hash} ${entry.digest.sizeBytes} ${entry.executable}`;
    case "symlink":
      return `symlink ${entry.target}`;
    case "directory":
      return "directory";
  }
}
