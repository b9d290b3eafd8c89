import { create, type DescMethod, toBinary } from "@bufbuild/protobuf";
import { hashBytes } from "@cuenv/digest";
import {
  ActionCache,
  BatchUpdateBlobsRequestSchema,
  ContentAddressableStorage,
  digestFunctionValue,
  GetActionResultRequestSchema,
} from "@cuenv/reapi/messages";
import { randomBytes } from "node:crypto";
import type { Access, RemoteConnection } from "./remote-connection.ts";
import { isFailure, RemoteError } from "./remote-error.ts";
import { wireDigest } from "./wire-digest.ts";

/**
 * Whether the server lets us read, or write: it is asked for a result that nobody has, or handed a batch without blobs, so nothing is stored. Capabilities tell
 * of writing only, and some servers say there what holds for others.
 * @throws {RemoteError} when it cannot be found out
 */
export async function mayUse(
  connection: RemoteConnection,
  access: Access,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  await connection.capabilities(signal);
  if (!connection.isUsable(access)) return false;
  const { method, request } =
    access === "read" ? readQuestion(connection) : writeQuestion(connection);
  try {
    await connection.call(method, request, { access, signal });
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    if (error.status === "PERMISSION_DENIED" || error.status === "UNAUTHENTICATED") return false;
    // NOT_FOUND, or a batch that it finds odd: whom it lets in it answers.
    if (isFailure(error)) throw error;
  }
  return true;
}

interface Question {
  readonly method: DescMethod;
  readonly request: Uint8Array;
}

function readQuestion({ instanceName, digestFunction }: RemoteConnection): Question {
  const message = create(GetActionResultRequestSchema, {
    instanceName,
    actionDigest: wireDigest(hashBytes(digestFunction, randomBytes(32))),
    digestFunction: digestFunctionValue[digestFunction],
  });
  return {
    method: ActionCache.method.getActionResult,
    request: toBinary(GetActionResultRequestSchema, message),
  };
}

function writeQuestion({ instanceName, digestFunction }: RemoteConnection): Question {
  const message = create(BatchUpdateBlobsRequestSchema, {
    instanceName,
    requests: [],
    digestFunction: digestFunctionValue[digestFunction],
  });
  return {
    method: ContentAddressableStorage.method.batchUpdateBlobs,
    request: toBinary(BatchUpdateBlobsRequestSchema, message),
  };
}
