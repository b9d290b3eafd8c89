import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Everything below a folder that a restore must get right, by path, in order. */
export function listTree(root: string): Record<string, string> {
  const tree: Record<string, string> = {};
  const visit = (path: string): void => {
    for (const name of readdirSync(`${root}/${path}`).toSorted()) {
      const below = path === "" ? name : `${path}/${name}`;
      const stat = lstatSync(`${root}/${below}`);
      if (stat.isSymbolicLink()) tree[below] = `-> ${readlinkSync(`${root}/${below}`)}`;
      else if (stat.isDirectory()) {
        tree[below] = "folder";
        visit(below);
      } else {
        const executable = (stat.mode & 0o100) === 0 ? "" : "executable ";
        tree[below] = `${executable}${readFileSync(`${root}/${below}`, "base64")}`;
      }
    }
  };
  visit("");
  return tree;
}
