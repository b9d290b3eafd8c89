import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** `.ci/install-peers` gives up before. */
const patienceMs = 330_000;

/** Until the programs are there that CI installs beside the tests, or are not to be had; at once elsewhere. */
export async function peersInstalled(): Promise<void> {
  const { CUENV_CI_PEERS: mark } = process.env;
  if (mark === undefined) return;
  const deadline = Date.now() + patienceMs;
  while (!existsSync(mark) && Date.now() < deadline) await setTimeout(200);
}
