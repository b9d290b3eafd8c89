import { assertDigest, type Digest } from "@cuenv/digest";
import { writeDigest } from "./encode-directory.ts";
import type { DigestFunction_Value } from "./gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { createWireReader } from "./wire-reader.ts";
import { encodeMessage, writeInteger, writeMessage, writeString } from "./wire-writer.ts";

/*
 * FindMissingBlobsRequest {instance_name=1, blob_digests=2, digest_function=3} and its response {missing_blob_digests=2}: the lists are as long as
 * everything that a build may upload.
 */

export interface FindMissingRequest {
  readonly instanceName: string;
  readonly digests: readonly Digest[];
  readonly digestFunction: DigestFunction_Value;
}

/** @throws {CuenvError} REAPI_MESSAGE_INVALID, DIGEST_INVALID */
export function decodeFindMissingRequest(bytes: Buffer): FindMissingRequest {
  const reader = createWireReader(bytes, 0, bytes.length);
  const digests: Digest[] = [];
  let instanceName = "";
  let digestFunction = 0 as DigestFunction_Value;
  while (reader.next()) {
    if (reader.field === 1) instanceName = bytes.toString("utf8", ...reader.span());
    else if (reader.field === 2) {
      const [from, to] = reader.span();
      digests.push(decodeDigest(bytes, from, to));
    } else if (reader.field === 3) digestFunction = reader.integer() as DigestFunction_Value;
    else reader.skip();
  }
  return { instanceName, digests, digestFunction };
}

export function encodeFindMissingRequest(request: FindMissingRequest): Uint8Array {
  return encodeMessage(() => {
    writeString(1, request.instanceName);
    for (const digest of request.digests) writeMessage(2, digest, writeDigest);
    writeInteger(3, request.digestFunction);
  });
}

export function encodeFindMissingResponse(missing: readonly Digest[]): Uint8Array {
  return encodeMessage(() => {
    for (const digest of missing) writeMessage(2, digest, writeDigest);
  });
}

/** @throws {CuenvError} REAPI_MESSAGE_INVALID, DIGEST_INVALID */
export function decodeFindMissingResponse(bytes: Buffer): readonly Digest[] {
  const reader = createWireReader(bytes, 0, bytes.length);
  const missing: Digest[] = [];
  while (reader.next()) {
    if (reader.field === 2) {
      const [from, to] = reader.span();
      missing.push(decodeDigest(bytes, from, to));
    } else reader.skip();
  }
  return missing;
}

/** As every client writes it: tag and length of the hash, 64 digits, tag and number of the size. Whatever else is read field by field. */
function decodeDigest(bytes: Buffer, start: number, end: number): Digest {
  const hashEnd = start + 66;
  const isUsual =
    bytes[start] === 0x0a && bytes[start + 1] === 64 && hashEnd < end && bytes[hashEnd] === 0x10;
  if (!isUsual) return decodeDigestFields(bytes, start, end);
  let sizeBytes = 0;
  let scale = 1;
  let position = hashEnd + 1;
  for (; position < end; position += 1) {
    const byte = bytes[position] ?? 0;
    sizeBytes += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) break;
  }
  if (position !== end - 1) return decodeDigestFields(bytes, start, end);
  const digest = { hash: bytes.toString("latin1", start + 2, hashEnd), sizeBytes };
  assertDigest(digest);
  return digest;
}

function decodeDigestFields(bytes: Buffer, start: number, end: number): Digest {
  const reader = createWireReader(bytes, start, end);
  let hash = "";
  let sizeBytes = 0;
  while (reader.next()) {
    // 64 ASCII digits, or no digest of ours.
    if (reader.field === 1) hash = bytes.toString("latin1", ...reader.span());
    else if (reader.field === 2) sizeBytes = reader.integer();
    else reader.skip();
  }
  const digest = { hash, sizeBytes };
  assertDigest(digest);
  return digest;
}
