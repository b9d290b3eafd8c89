import {
  type Digest,
  type DigestFunction,
  digestFunctions,
  formatDigest,
  parseDigest,
} from "@cuenv/digest";

/*
 * What ByteStream calls a blob (remote_execution.proto, ContentAddressableStorage):
 *
 *     [<instance>/]blobs/[<function>/]<hash>/<size>
 *     [<instance>/]compressed-blobs/<compressor>/[<function>/]<hash>/<size>
 *     [<instance>/]uploads/<uuid>/blobs/[<function>/]<hash>/<size>[/<anything>]
 *     [<instance>/]uploads/<uuid>/compressed-blobs/<compressor>/[<function>/]<hash>/<size>[/<anything>]
 *
 * An instance has any number of segments, none of them one of the words below. The function is left out where the length of the hash tells it,
 * which is so for SHA-256 and not for BLAKE3. Hash and size are those of the blob before compression.
 */

/** How the bytes of a blob travel. */
export type WireCompressor = "identity" | "zstd";

export interface BlobResource {
  /** Empty: none was named. */
  readonly instance: string;
  readonly digestFunction: DigestFunction;
  readonly digest: Digest;
  readonly compressor: WireCompressor;
}

export interface UploadResource extends BlobResource {
  /** Made by the client, one for each upload. */
  readonly uploadId: string;
}

/** Why a name cannot be used. */
export interface ResourceNameProblem {
  readonly problem: string;
}

/** No segment of an instance name is one of these: names of resources begin there. */
export const reservedSegments: ReadonlySet<string> = new Set([
  "blobs",
  "uploads",
  "actions",
  "actionResults",
  "operations",
  "capabilities",
  "compressed-blobs",
]);

const maxNameChars = 4096;

export function parseReadResource(name: string): BlobResource | ResourceNameProblem {
  const split = splitName(name);
  if ("problem" in split) return split;
  const { instance, rest } = split;
  if (rest[0] === "uploads") return { problem: "it is the name of an upload" };
  const blob = parseBlob(rest);
  if ("problem" in blob) return blob;
  if (blob.more.length > 0) return { problem: "something follows the size" };
  return { instance, ...blob.blob };
}

export function parseWriteResource(name: string): UploadResource | ResourceNameProblem {
  const split = splitName(name);
  if ("problem" in split) return split;
  const { instance, rest } = split;
  const [uploads, uploadId = "", ...names] = rest;
  if (uploads !== "uploads") return { problem: "it is not the name of an upload" };
  if (!/^[\w-]{1,128}$/.test(uploadId)) return { problem: "its upload id is no UUID" };
  const blob = parseBlob(names);
  return "problem" in blob ? blob : { instance, uploadId, ...blob.blob };
}

export function formatReadResource(resource: BlobResource): string {
  return [...instanceSegments(resource), ...blobSegments(resource)].join("/");
}

export function formatWriteResource(resource: UploadResource): string {
  const { uploadId } = resource;
  return [...instanceSegments(resource), "uploads", uploadId, ...blobSegments(resource)].join("/");
}

/** The segments before the first reserved word, and those from it on. */
function splitName(
  name: string,
): { readonly instance: string; readonly rest: readonly string[] } | ResourceNameProblem {
  if (name.length > maxNameChars) return { problem: "it is too long" };
  const segments = name.split("/");
  const start = segments.findIndex((segment) => reservedSegments.has(segment));
  if (start < 0) return { problem: "it names no blob" };
  const instance = segments.slice(0, start);
  if (instance.includes("")) return { problem: "its instance has an empty segment" };
  return { instance: instance.join("/"), rest: segments.slice(start) };
}

function parseBlob(segments: readonly string[]):
  | {
      readonly blob: Omit<BlobResource, "instance">;
      readonly more: readonly string[];
    }
  | ResourceNameProblem {
  const [kind, ...names] = segments;
  if (kind !== "blobs" && kind !== "compressed-blobs") return { problem: "it names no blob" };
  const compressor = kind === "blobs" ? "identity" : names.shift();
  if (compressor !== "identity" && compressor !== "zstd")
    return { problem: "its compressor is not zstd" };
  if (kind === "compressed-blobs" && compressor === "identity")
    return { problem: "identity is no compressor" };
  const isNamed = digestFunctions.some((known) => known === names[0]);
  const digestFunction = isNamed ? (names.shift() as DigestFunction) : "sha256";
  if (isNamed && digestFunction === "sha256")
    return { problem: "sha256 is left out of resource names" };
  const [hash = "", size = "", ...more] = names;
  const digest = parseDigest(`${hash}/${size}`);
  if (digest === undefined) return { problem: "it ends in no hash and size" };
  return { blob: { digestFunction, digest, compressor }, more };
}

function instanceSegments({ instance }: BlobResource): string[] {
  return instance === "" ? [] : [instance];
}

function blobSegments({ compressor, digestFunction, digest }: BlobResource): string[] {
  return [
    ...(compressor === "identity" ? ["blobs"] : ["compressed-blobs", compressor]),
    ...(digestFunction === "sha256" ? [] : [digestFunction]),
    formatDigest(digest),
  ];
}
