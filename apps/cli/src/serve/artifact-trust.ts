import { createEntryTrust } from "@cuenv/cache";
import type { ArtifactTrust } from "@cuenv/server";
import type { OpenSettings } from "../project/open-project.ts";

/**
 * Artifacts are signed with the key that results of tasks are signed with here, and served when the same policy accepts their signature.
 * Undefined with trust off: who may write into the cache folder is believed.
 * @throws {CuenvError} TRUST_FILE_INVALID, TRUST_FILE_EXPOSED, TRUST_FILE_PLACE, TRUST_KEY_INVALID, TRUST_KEY_EXPOSED
 */
export function artifactTrust(
  { trust: policy, settings, workspaceRoot }: OpenSettings,
  cacheDirectory: string,
  onTrouble: (message: string) => void,
): ArtifactTrust | undefined {
  const { verify, sign } = createEntryTrust({
    policy,
    workspaceRoot,
    cacheDirectory,
    namespace: settings.namespace,
    // A signature is verified in 0.1 ms: nothing beside a request.
    memoPath: undefined,
    now: Date.now,
    emit: (event) => {
      if (event.type === "trouble") onTrouble(event.message);
    },
  });
  return verify === undefined || sign === undefined ? undefined : { verify, sign };
}
