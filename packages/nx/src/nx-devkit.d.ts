// What generators use of the workspace's own @nx/devkit.
declare module "@nx/devkit" {
  export function formatFiles(tree: unknown): Promise<void>;
  export function getProjects(tree: unknown): ReadonlyMap<string, { readonly root: string }>;
}
