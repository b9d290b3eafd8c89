/** Status codes of gRPC (github.com/grpc/grpc, statuscodes): what a call ended with. */
export const grpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcStatusName = keyof typeof grpcStatus;

/** How a call fails that is answered with a status. The message is for whoever reads the client's error: no secret, no path of ours. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly status: GrpcStatusName;

  constructor(status: GrpcStatusName, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
  }

  get code(): number {
    return grpcStatus[this.status];
  }
}
