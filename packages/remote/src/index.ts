/** A remote cache over gRPC, as a blob store and an action store. */
export { endpointName, parseEndpoint } from "./endpoint.ts";
export type { RemoteTls } from "./grpc-channel.ts";
export {
  openRemoteCache,
  type OpenRemoteCacheOptions,
  type RemoteCache,
} from "./open-remote-cache.ts";
export { RemoteError } from "./remote-error.ts";
