import { createBazelFrontEnd } from "./bazel/bazel-front-end.ts";
import { createCcacheFrontEnd } from "./ccache/ccache-front-end.ts";
import type { FrontEnd } from "./front-end.ts";
import { createGradleFrontEnd } from "./gradle/gradle-front-end.ts";
import { createNxFrontEnd } from "./nx/nx-front-end.ts";
import { createPnpmFrontEnd } from "./pnpm/pnpm-front-end.ts";
import { createSccacheFrontEnd } from "./sccache/sccache-front-end.ts";
import { createTurborepoFrontEnd, type TurborepoOptions } from "./turborepo/turborepo-front-end.ts";

/** Every protocol that is spoken. Those that live below one first segment come before those that are found below any path. */
export function createProtocolFrontEnds(options: TurborepoOptions): readonly FrontEnd[] {
  return [
    createBazelFrontEnd(options),
    createGradleFrontEnd(options),
    createCcacheFrontEnd(options),
    createSccacheFrontEnd(options),
    createPnpmFrontEnd(options),
    createNxFrontEnd(options),
    createTurborepoFrontEnd(options),
  ];
}
