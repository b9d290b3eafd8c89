import type { FrontEnd } from "../front-end.ts";
import { createKeyValueFrontEnd } from "../key-value/key-value-front-end.ts";
import type { ArtifactOptions } from "../artifact-options.ts";

const keyPattern = /^[0-9a-f]{32,128}$/;

/**
 * Gradle's HttpBuildCache, `/gradle/<key>`. As its documentation has it (class HttpBuildCache of the DSL reference): 200 and 404 for reading, any 2xx for writing, and 413
 * for what is too large, which it takes without complaint. Every other answer ends its use of the remote cache for this build, with a warning: so a
 * token that may only read belongs to a build with `push = false`.
 */
export function createGradleFrontEnd(options: ArtifactOptions): FrontEnd {
  return createKeyValueFrontEnd(options, {
    name: "gradle",
    prefix: "gradle",
    nameOf: ([key = "", ...more]) => (keyPattern.test(key) && more.length === 0 ? key : undefined),
  });
}
