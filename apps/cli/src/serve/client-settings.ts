/** By protocol: the base address for its clients. */
export function protocolUrls(
  url: string,
  grpcUrl: string | undefined,
): Readonly<Record<string, string>> {
  return {
    turborepo: `${url}/`,
    nx: `${url}/`,
    bazel: `${url}/bazel`,
    ccache: `${url}/ccache`,
    sccache: `${url}/sccache`,
    gradle: `${url}/gradle/`,
    pnpm: `${url}/pnpm`,
    ...(grpcUrl === undefined ? {} : { reapi: grpcUrl }),
  };
}

/** What each client is given to find the server, a line each. */
export function clientSettings(url: string, grpcUrl: string | undefined): string {
  const grpc = [
    ["cuenv", `CUENV_REMOTE_CACHE_ENDPOINT=${grpcUrl} CUENV_REMOTE_CACHE_AUTH_TOKEN=…`],
    ["gRPC", `--remote_cache=${grpcUrl} --remote_header='Authorization=Bearer …' (Bazel, Buck2 …)`],
  ] as const;
  const lines = [
    ...(grpcUrl === undefined ? [] : grpc),
    ["Turborepo", `TURBO_API=${url} TURBO_TOKEN=… TURBO_TEAM=…`],
    ["Nx", `NX_SELF_HOSTED_REMOTE_CACHE_SERVER=${url} NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN=…`],
    ["Bazel HTTP", `--remote_cache=${url}/bazel --remote_header='Authorization=Bearer …'`],
    ["ccache", `CCACHE_REMOTE_STORAGE='${url}/ccache|bearer-token=…'`],
    ["sccache", `SCCACHE_WEBDAV_ENDPOINT=${url}/sccache SCCACHE_WEBDAV_TOKEN=…`],
    ["Gradle", `url = '${url}/gradle/'; credentials { username = 'cuenv'; password = '…' }`],
    ["pnpm", `remoteCache: {url: "${url}/pnpm", team: …}`],
    ["health", `${url}/healthz, ${url}/readyz; metrics ${url}/metrics`],
  ] as const;
  return lines.map(([name, text]) => `  ${name.padEnd(10)}  ${text}\n`).join("");
}
