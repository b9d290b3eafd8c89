import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Path → kind, mode and content, of all that is below a folder. */
export type Tree = Readonly<Record<string, string>>;

export function readTree(root: string): Tree {
  const tree: Record<string, string> = {};
  const look = (path: string): void => {
    const absolute = join(root, path);
    const stat = lstatSync(absolute);
    const mode = (stat.mode & 0o777).toString(8);
    if (stat.isSymbolicLink()) tree[path] = `link ${readlinkSync(absolute)}`;
    else if (stat.isFile()) tree[path] = `file ${mode} ${readFileSync(absolute, "latin1")}`;
    else if (stat.isDirectory()) {
      if (path !== "") tree[path] = `folder ${mode}`;
      for (const name of readdirSync(absolute).toSorted())
        look(path === "" ? name : `${path}/${name}`);
    } else tree[path] = "other";
  };
  look("");
  return tree;
}

/** What two trees do not have in common, for a message; undefined when they are equal. */
export function treeDifference(expected: Tree, found: Tree): string | undefined {
  const paths = new Set([...Object.keys(expected), ...Object.keys(found)]);
  const short = (text: string | undefined): string => (text ?? "nothing").slice(0, 60).trimEnd();
  const differences = [...paths].flatMap((path) =>
    expected[path] === found[path]
      ? []
      : [`${path} is ${short(found[path])} instead of ${short(expected[path])}`],
  );
  return differences.length === 0 ? undefined : differences.slice(0, 5).join("; ");
}
