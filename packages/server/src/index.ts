/** The server: HTTP front ends over a blob store and an action store. */
export {
  type AccessPolicy,
  type AccessPolicyOptions,
  createAccessPolicy,
  createOpenPolicy,
  hashToken,
  type Identity,
  type Scope,
  type TokenGrant,
} from "./access-policy.ts";
export type { ArtifactOptions } from "./artifact-options.ts";
export {
  type ArtifactName,
  type ArtifactStore,
  type ArtifactStoreOptions,
  createArtifactStore,
} from "./artifact-store.ts";
export {
  type CacheServerOptions,
  createCacheServer,
  defaultMaxArtifactBytes,
} from "./cache-server.ts";
export type { Exchange, FrontEnd, Route } from "./front-end.ts";
export {
  type AnsweredRequest,
  createHttpServer,
  drainMs,
  type HttpServer,
  type HttpServerOptions,
} from "./http-server.ts";
export { createMetrics, type Metrics } from "./metrics.ts";
export { createNxFrontEnd } from "./nx/nx-front-end.ts";
export { createOperationsFrontEnd, metricHelp } from "./operations-front-end.ts";
export { parseServerSettings, type ServerSettings } from "./server-settings.ts";
export type { RequestTarget } from "./request-target.ts";
export {
  createTurborepoFrontEnd,
  type TagPolicy,
  type TurborepoOptions,
} from "./turborepo/turborepo-front-end.ts";
