import type { TaskPreview } from "@cuenv/cache/explanation";
import { readsOutputs } from "@cuenv/config";
import type { Plan, PlanNode } from "@cuenv/runner";

/** Tasks that would run, and make nobody knows what. */
export interface MakersBefore {
  readonly add: (node: PlanNode) => void;
  /** Those that come before a task, though it may not depend on them: earlier steps of a sequence. */
  readonly before: (node: PlanNode) => readonly PlanNode[];
}

export function makersBefore({ nodes }: Plan): MakersBefore {
  const makers = new Map<string, PlanNode>();
  const byName = new Map(nodes.map((node) => [node.name, node]));
  // Where nothing is put into order, what comes before a task is below its dependencies, and makes them unknown, too.
  const isOrdered = nodes.some(({ after }) => after.length > 0);
  return {
    add: (node) => {
      if ((node.task.outputs ?? []).length > 0) makers.set(node.name, node);
    },
    before: ({ dependencies, after }) => {
      if (!isOrdered || makers.size === 0) return [];
      const seen = new Set([...dependencies, ...after]);
      for (const name of seen) {
        const node = byName.get(name);
        for (const other of [...(node?.dependencies ?? []), ...(node?.after ?? [])])
          seen.add(other);
      }
      return [...makers.values()].filter(({ name }) => seen.has(name));
    },
  };
}

/** The first of these of whose outputs a task reads something by patterns of its own. */
export function firstRead(
  makers: readonly PlanNode[],
  { task }: PlanNode,
  {
    preview,
    projectDirectory,
  }: { readonly preview: TaskPreview; readonly projectDirectory: string },
): string | undefined {
  if (makers.length === 0) return undefined;
  const { inputs = [], producers = {} } = preview.keyInputs() ?? {};
  const files = inputs.flatMap(({ path }) => (Object.hasOwn(producers, path) ? [] : [path]));
  return makers.find((maker) => readsOutputs(task, maker.task, { projectDirectory, files }))?.name;
}
