import type { RemoteOptions } from "@cuenv/cache";
import { type CacheSettings, remoteAuthToken } from "@cuenv/config";
import type { RemoteCache } from "@cuenv/remote";
import { cuenvVersion } from "../version.ts";
import { readRemoteTls } from "./remote-tls.ts";

/** The remote cache of the settings, as the engine uses it; undefined: there is none. Nothing of it is loaded before it is needed. */
export function remoteOptions(settings: CacheSettings): RemoteOptions | undefined {
  const { remoteEndpoint: endpoint } = settings;
  if (endpoint === undefined || endpoint === "") return undefined;
  const timeoutMs = settings.remoteTimeoutSeconds * 1000;
  return {
    name: endpoint.replace(/^grpcs?:\/\//, ""),
    reads: settings.remoteDownloadEnabled,
    writes: settings.remoteUploadEnabled,
    timeoutMs,
    open: () => openRemote(settings, endpoint, timeoutMs),
  };
}

/** @throws {CuenvError} CONFIG_VALUE for an endpoint that is none, or a file that cannot be read */
export async function openRemote(
  settings: CacheSettings,
  endpoint: string,
  timeoutMs: number,
): Promise<RemoteCache> {
  const tls = await readRemoteTls(settings);
  const { openRemoteCache } = await import("@cuenv/remote");
  return openRemoteCache({
    endpoint,
    timeoutMs,
    token: remoteAuthToken(settings, process.env),
    tls,
    digestFunction: settings.digestFunction,
    namespace: settings.namespace,
    maxConcurrent: settings.remoteMaxConcurrent,
    version: cuenvVersion(),
  });
}
