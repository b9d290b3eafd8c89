import type { NodePreview, UnknownNode } from "./preview-plan.ts";

/** The dependency of a dependency … that makes a key unknown. */
export function firstToRun(
  node: UnknownNode,
  previews: ReadonlyMap<string, NodePreview>,
): { readonly name: string; readonly node: NodePreview } {
  let name = node.because;
  for (;;) {
    const next = previews.get(name);
    if (next?.kind !== "unknown") return { name, node: next ?? node };
    name = next.because;
  }
}
