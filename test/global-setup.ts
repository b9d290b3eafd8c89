import { ensureBuilt } from "../tools/build-cli.mjs";

/** End-to-end tests run the bundle: it must be that of the sources. */
export async function setup(): Promise<void> {
  await ensureBuilt();
}
