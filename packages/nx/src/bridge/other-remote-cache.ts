import { createRequire } from "node:module";
import type { NxJson } from "../nx-api.ts";

/** Packages that Nx takes for its remote cache when they are merely there, before the one that is spoken to over HTTP. */
const packages = ["s3-cache", "shared-fs-cache", "gcs-cache", "azure-cache"].flatMap((name) => [
  `@nx/${name}`,
  `@nx/powerpack-${name}`,
]);

/** What Nx would take for its remote cache instead of ours, in a few words; undefined: nothing. In the order in which Nx looks. */
export function otherRemoteCache(
  workspaceRoot: string,
  nxJson: NxJson,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (isCloudUsed(nxJson, env)) return "Nx Cloud is set up";
  const { resolve } = createRequire(`${workspaceRoot}/package.json`);
  const found = packages.find((name) => {
    try {
      resolve(name);
      return true;
    } catch {
      return false;
    }
  });
  if (found !== undefined) return `${found} is installed`;
  const { NX_SELF_HOSTED_REMOTE_CACHE_SERVER: server = "" } = env;
  return server === "" ? undefined : "NX_SELF_HOSTED_REMOTE_CACHE_SERVER is set";
}

function isCloudUsed(nxJson: NxJson, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env["NX_NO_CLOUD"] === "true" || nxJson.neverConnectToCloud === true) return false;
  const { NX_CLOUD_ACCESS_TOKEN: token, NX_CLOUD_AUTH_TOKEN: older } = env;
  return [token, older, nxJson.nxCloudId, nxJson.nxCloudAccessToken].some(
    (value) => typeof value === "string" && value !== "",
  );
}
