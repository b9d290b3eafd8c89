/** Whether there is time for all of it: every version of Nx on every version of Node, with the daemon on and off, and everything that real Nx is asked: half an hour. */
export const isFull: boolean = process.env["CUENV_NX_MATRIX"] === "full";

if (!isFull)
  console.warn(
    "SKIPPED: most of what is tried with real Nx. All of it: CUENV_NX_MATRIX=full npm test -- test/nx",
  );
