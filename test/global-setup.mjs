import process from "node:process";
import { ensureBuilt } from "../tools/build-cli.mjs";

/** End-to-end tests run the bundle: it must be that of the sources, unless they are told of another one. */
export async function setup() {
  if (process.env["CUENV_E2E_LAUNCHER"] === undefined) await ensureBuilt();
}
