import { measureWall } from "./measure.mjs";

/**
 * What is measured. `prepare` brings a project that was built before into the state; `written` is how many of the
 * outputs the run must then write, which shows that every tool did what is claimed. A target is the median of
 * cuenv's time over the peer's, at most; a gate fails the benchmark.
 */
export const scenarios = [
  {
    name: "warm, nothing to do",
    prepare: () => {},
    written: () => 0,
    targets: {
      turbo: { target: 0.6, gate: 1 },
      "nx, daemon": { target: 0.25, gate: 0.4 },
      "nx, no daemon": { target: 0.12, gate: 0.2 },
    },
  },
  {
    name: "outputs deleted",
    prepare: ({ project, folder }) => project.deleteOutputs(folder),
    written: (project) => project.outputs,
    targets: { turbo: { target: 0.6, gate: 1 } },
  },
  {
    // What the run before put in place is too young for its stat to say much.
    name: "run after outputs were restored",
    prepare: async ({ project, folder, peer }) => {
      project.deleteOutputs(folder);
      await measureWall(peer.command(folder));
    },
    written: () => 0,
    targets: {},
  },
  {
    name: "one file changed",
    prepare: ({ project, folder }) => project.changeFile(folder),
    written: (project) => project.afterChange,
    targets: { turbo: { target: 0.7, gate: 1 } },
  },
  {
    // Both say of every task its key and what would come of it, and run nothing.
    name: "keys only",
    keys: true,
    prepare: () => {},
    written: () => 0,
    targets: { turbo: { target: 0.6, gate: 1 } },
  },
  {
    // Nothing is cached but the answer to "what are the tasks": what storing costs.
    name: "cold, configuration evaluated",
    cold: true,
    prepare: ({ project, folder, peer }) => {
      peer.reset(folder);
      peer.evaluate?.(folder);
      project.deleteOutputs(folder);
    },
    written: (project) => project.outputs,
    targets: { "no cache": { target: 1.2, gate: 1.5 } },
  },
  {
    // The very first run on a machine: the evaluator is loaded, too.
    name: "cold",
    cold: true,
    prepare: ({ project, folder, peer }) => {
      peer.reset(folder);
      project.deleteOutputs(folder);
    },
    written: (project) => project.outputs,
    targets: { "no cache": { target: 1.2, gate: 2 } },
  },
];

/** With a handful of tasks Node's start is most of the time, which the native peer does not have: only the warm run is judged. */
export const plainTargets = { "warm, nothing to do": { turbo: { target: 2.5, gate: 3.5 } } };

/** The daemon's row is of the 5×10 repository (reference/performance.md 9, row 8). */
export const smallTargets = {
  "warm, nothing to do": {
    ...plainTargets["warm, nothing to do"],
    "nx, daemon": { target: 0.18, gate: 0.25 },
  },
};

/** A repository of 1,000 packages with 20 files (reference/performance.md 9, row 6). */
export const largeTargets = { "warm, nothing to do": { turbo: { target: 0.3, gate: 0.6 } } };

/** What the warm run uses, cuenv's over turbo's. */
export const usageTargets = {
  rssMiB: { target: 1.1, gate: 1.6 },
  cpuMs: { target: 0.45, gate: 0.8 },
};
