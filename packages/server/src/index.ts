/** The server: HTTP front ends over a blob store and an action store. */
export {
  type AccessPolicy,
  type AccessPolicyOptions,
  createAccessPolicy,
  createOpenPolicy,
  createLimitedPolicy,
  hashToken,
  type Identity,
  type Scope,
  type TokenGrant,
} from "./access-policy.ts";
export type { ArtifactOptions } from "./artifact-options.ts";
export type { ArtifactRemote, StoredArtifact } from "./artifact-remote.ts";
export {
  type ArtifactName,
  type ArtifactStore,
  type ArtifactStoreOptions,
  createArtifactStore,
} from "./artifact-store.ts";
export type { ArtifactTrust, RefusedArtifact } from "./artifact-trust.ts";
export {
  type CacheServer,
  type CacheServerOptions,
  createCacheServer,
  defaultMaxArtifactBytes,
  type SharedWithGrpc,
} from "./cache-server.ts";
export type { Exchange, FrontEnd, Route } from "./front-end.ts";
export {
  type AnsweredRequest,
  createHttpServer,
  drainMs,
  type HttpServer,
  type HttpServerOptions,
} from "./http-server.ts";
export {
  type MetricDefinition,
  type MetricDefinitions,
  metricDefinitions,
} from "./metric-definitions.ts";
export { createMetrics, type Labels, type Metrics, type Reading } from "./metrics.ts";
export { createNxFrontEnd } from "./nx/nx-front-end.ts";
export { createOperationsFrontEnd } from "./operations-front-end.ts";
export { parseServerSettings, type ServerSettings, type TlsFiles } from "./server-settings.ts";
export type { TlsMaterial } from "./tls-material.ts";
export type { RequestTarget } from "./request-target.ts";
export {
  createTurborepoFrontEnd,
  type TagPolicy,
  type TurborepoOptions,
} from "./turborepo/turborepo-front-end.ts";
