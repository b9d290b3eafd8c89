/**
 * Circles in a graph, each as the names along it, the first one not repeated: at least one of each part that is
 * strongly connected. Iterative, since a chain of tasks may be longer than the stack is deep.
 */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): readonly string[][] {
  const state = new Map<string, "open" | "done">();
  const cycles: string[][] = [];
  for (const start of graph.keys()) {
    if (state.has(start)) continue;
    const path: string[] = [start];
    const positions: number[] = [0];
    state.set(start, "open");
    while (path.length > 0) {
      const name = path.at(-1) ?? "";
      const next = graph.get(name)?.[positions.at(-1) ?? 0];
      positions[positions.length - 1] = (positions.at(-1) ?? 0) + 1;
      if (next === undefined) {
        state.set(name, "done");
        path.pop();
        positions.pop();
      } else if (state.get(next) === "open") {
        cycles.push(path.slice(path.indexOf(next)));
        // One is enough to act on; what is behind it may be a hundred views of the same.
        for (const open of path) state.set(open, "done");
        path.length = 0;
      } else if (!state.has(next) && graph.has(next)) {
        state.set(next, "open");
        path.push(next);
        positions.push(0);
      }
    }
  }
  return cycles;
}
