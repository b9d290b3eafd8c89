import { join } from "node:path";
import process from "node:process";
import { root } from "../../tools/workspace.mjs";

/** Where repositories, caches and the peers' installations are kept between runs. */
export const workFolder = process.env.CUENV_BENCH_DIR ?? join(root, ".cache", "bench");
