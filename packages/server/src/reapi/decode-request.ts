import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { decodeMessage } from "@cuenv/reapi/messages";
import { GrpcError } from "../grpc/grpc-status.ts";

/** @throws {GrpcError} INVALID_ARGUMENT: a reader of hostile bytes fails in many ways, and all of them are the client's */
export function decodeRequest<Schema extends DescMessage>(
  schema: Schema,
  message: Uint8Array,
): MessageShape<Schema> {
  try {
    return decodeMessage(schema, message);
  } catch (cause) {
    throw new GrpcError("INVALID_ARGUMENT", `the message is no ${schema.name}`, cause);
  }
}
