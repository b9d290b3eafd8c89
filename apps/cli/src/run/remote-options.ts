import { readFileSync } from "node:fs";
import type { RemoteOptions } from "@cuenv/cache";
import { type CacheSettings, remoteAuthToken } from "@cuenv/config";
import type { RemoteCache } from "@cuenv/remote";
import { CuenvError } from "@cuenv/errors";
import { cuenvVersion } from "../version.ts";

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
  const { openRemoteCache } = await import("@cuenv/remote");
  return openRemoteCache({
    endpoint,
    timeoutMs,
    token: remoteAuthToken(settings, process.env),
    tls: tlsFiles(settings),
    digestFunction: settings.digestFunction,
    namespace: settings.namespace,
    maxConcurrent: settings.remoteMaxConcurrent,
    version: cuenvVersion(),
  });
}

function tlsFiles(settings: CacheSettings): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  const { remoteCaCertificate: ca, remoteClientCertificate: cert, remoteClientKey: key } = settings;
  return {
    ...(ca === undefined ? {} : { ca: readPem("caCertificate", ca) }),
    ...(cert === undefined ? {} : { cert: readPem("clientCertificate", cert) }),
    ...(key === undefined ? {} : { key: readPem("clientKey", key) }),
  };
}

function readPem(field: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new CuenvError(
      "CONFIG_VALUE",
      `cannot read ${path}, which \`remoteCache.${field}\` names: ${code}`,
      {
        cause,
        field: `remoteCache.${field}`,
      },
    );
  }
}
