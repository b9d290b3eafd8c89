import type { ProcessTree } from "./process-tree.ts";

/** The commands that run now, so that none outlives us however we end, but for SIGKILL; and whether each shares our terminal. */
const live = new Map<ProcessTree, { readonly attached: boolean }>();
let watching = false;

/** @param attached it is in our process group and has the terminal, so the terminal's Ctrl-C reaches it without us */
export function addLiveProcess(tree: ProcessTree, attached: boolean): void {
  live.set(tree, { attached });
  if (watching) return;
  watching = true;
  // Also reached after an uncaught exception and through process.exit().
  process.on("exit", killLiveProcesses);
}

export function removeLiveProcess(tree: ProcessTree): void {
  live.delete(tree);
}

/** Whether Ctrl-C is a command's to answer, not ours. */
export function hasAttachedProcess(): boolean {
  for (const { attached } of live.values()) if (attached) return true;
  return false;
}

/** SIGKILL to everything that runs, at once. */
export function killLiveProcesses(): void {
  for (const tree of live.keys()) tree.signal("SIGKILL");
}
