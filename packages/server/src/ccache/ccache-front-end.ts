import type { FrontEnd } from "../front-end.ts";
import { createKeyValueFrontEnd } from "../key-value/key-value-front-end.ts";
import type { ArtifactOptions } from "../artifact-options.ts";

const keyPattern = /^[0-9a-z]{16,128}$/;
const bazelPattern = /^[0-9a-f]{64}$/;

/**
 * ccache's HTTP storage, `/ccache` and one of its layouts (manual of ccache 4.7, "HTTP storage backend"): `flat` `<key>`, `subdirs` `<first two>/<rest>`,
 * and `bazel` `ac/<64 hex>`, whose bytes are no ActionResult, so they are not below `/bazel`. Flat and subdirs name the same artifact.
 * A manifest is written again whenever it grows, so the last writer wins. To ccache every answer but 2xx is a miss that it logs; a store that fails
 * ends its use of this storage for one compilation. An entry that it finds unusable it deletes.
 */
export function createCcacheFrontEnd(options: ArtifactOptions): FrontEnd {
  return createKeyValueFrontEnd(options, {
    name: "ccache",
    prefix: "ccache",
    nameOf(segments) {
      const [first = "", second = "", ...more] = segments;
      if (more.length > 0) return undefined;
      if (first === "ac" && bazelPattern.test(second)) return `ac/${second}`;
      if (segments.length === 2 && first.length !== 2) return undefined;
      const key = first + second;
      return keyPattern.test(key) ? key : undefined;
    },
  });
}
