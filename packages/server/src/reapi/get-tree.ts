import { create, toBinary } from "@bufbuild/protobuf";
import { createTurns } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";
import {
  decodeMessage,
  type Directory,
  DirectorySchema,
  GetTreeRequestSchema,
  GetTreeResponseSchema,
} from "@cuenv/reapi/messages";
import type { GrpcCall, StreamedMessage } from "../grpc/grpc-method.ts";
import { GrpcError } from "../grpc/grpc-status.ts";
import { decodeRequest } from "./decode-request.ts";
import { admitCaller, type Caller } from "./caller.ts";
import type { NamespaceBlobs } from "./namespace-blobs.ts";
import { maxStoredMessageBytes, readWhole } from "./read-whole.ts";
import type { ReapiServices } from "./reapi-services.ts";
import { asStoreFailure } from "./store-failure.ts";
import { digestOfWire } from "./wire-digest.ts";

const defaultPageSize = 1000;
const maxPageSize = 10_000;
/** An answer has no more directories than fit into so many bytes. */
const maxPageBytes = 2 * 1024 * 1024;
/** No tree has more distinct directories: each is held by its hash while it is walked. */
const maxDirectories = 500_000;

/**
 * The directories below a root, parents first, each distinct one once; one that is not here is left out, with what is below it. All pages come on one stream;
 * a token names the place after a page, for who broke off.
 */
export async function* getTree(
  services: ReapiServices,
  message: Buffer,
  call: GrpcCall,
): AsyncGenerator<StreamedMessage> {
  const request = decodeRequest(GetTreeRequestSchema, message);
  const caller = await admitCaller(services.options, call, "read", request.instanceName);
  const root = digestOfWire(request.rootDigest, "the root");
  const start = placeOf(request.pageToken);
  if (request.pageSize < 0) throw new GrpcError("INVALID_ARGUMENT", "the page size is negative");
  const size = Math.min(request.pageSize || defaultPageSize, maxPageSize);
  const blobs = services.blobsFor(request.digestFunction);
  let page: Directory[] = [];
  let pageBytes = 0;
  let place = 0;
  for await (const { directory, sizeBytes } of walk(services, blobs, caller, root, call)) {
    place += 1;
    if (place <= start) continue;
    if (page.length >= size || pageBytes + sizeBytes > maxPageBytes) {
      yield pageOf(page, String(place - 1));
      page = [];
      pageBytes = 0;
    }
    page.push(directory);
    pageBytes += sizeBytes;
  }
  yield pageOf(page, "");
}

function pageOf(directories: Directory[], nextPageToken: string): StreamedMessage {
  const page = create(GetTreeResponseSchema, { directories, nextPageToken });
  return { parts: [toBinary(GetTreeResponseSchema, page)] };
}

function placeOf(token: string): number {
  if (token === "") return 0;
  if (!/^\d{1,9}$/.test(token)) throw new GrpcError("INVALID_ARGUMENT", "the page token is none");
  return Number(token);
}

async function* walk(
  services: ReapiServices,
  blobs: NamespaceBlobs,
  { readable }: Caller,
  root: Digest,
  call: GrpcCall,
): AsyncGenerator<{ readonly directory: Directory; readonly sizeBytes: number }> {
  const seen = new Set([root.hash]);
  const queue = [root];
  const turn = createTurns();
  for (let index = 0; index < queue.length; index += 1) {
    await turn();
    call.signal.throwIfAborted();
    const digest = queue[index] ?? root;
    const directory = await readDirectory(services, blobs, readable, digest, call);
    if (directory === undefined) {
      if (index === 0) throw new GrpcError("NOT_FOUND", "the root is not here");
      continue;
    }
    yield { directory, sizeBytes: digest.sizeBytes };
    for (const child of directory.directories) {
      const below = digestOfWire(child.digest, "a directory");
      if (seen.has(below.hash)) continue;
      seen.add(below.hash);
      queue.push(below);
    }
    if (seen.size > maxDirectories)
      throw new GrpcError("RESOURCE_EXHAUSTED", `more than ${maxDirectories} directories`);
  }
}

async function readDirectory(
  services: ReapiServices,
  blobs: NamespaceBlobs,
  readable: readonly string[],
  digest: Digest,
  { signal }: GrpcCall,
): Promise<Directory | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readWhole(blobs, readable, digest, { maxBytes: maxStoredMessageBytes, signal });
  } catch (error) {
    if (asStoreFailure(error, services.options.onTrouble)?.status === "NOT_FOUND") return undefined;
    throw error;
  }
  try {
    return decodeMessage(DirectorySchema, bytes);
  } catch (cause) {
    throw new GrpcError("INVALID_ARGUMENT", `blob ${digest.hash} is no Directory`, cause);
  }
}
