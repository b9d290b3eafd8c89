import type { Bench } from "./sweep.ts";
import type { Tree } from "./tree.ts";

interface VerifyDocument {
  readonly corrupt: readonly { readonly kind: string; readonly path: string }[];
}

/** What `verify` finds in a store that was sound before: a kill or an error must leave no damage of any kind, a power cut alone may. */
export async function unsoundness({ project, scenario }: Bench): Promise<string[]> {
  const { code, stdout, stderr } = await project.cuenv(["cache", "verify", "--json"]);
  if (code !== 0 && code !== 4) return [`verify ended with ${code}: ${stderr}`];
  const { corrupt } = JSON.parse(stdout) as VerifyDocument;
  return corrupt
    .filter(({ kind }) => scenario.damage?.includes(kind) !== true)
    .map(({ kind, path }) => `verify found ${kind} in ${path}`);
}

/** Without what another task makes, which has a check of its own, and what a restore may leave until the next. */
export function compared(tree: Tree): Tree {
  return Object.fromEntries(
    Object.entries(tree).filter(([path]) => !/^(?:bulk|\.cuenv-staging-)/.test(path)),
  );
}
