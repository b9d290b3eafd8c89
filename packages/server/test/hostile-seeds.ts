import { create, type DescMessage, toBinary } from "@bufbuild/protobuf";
import {
  ActionSchema,
  ContentAddressableStorage as Cas,
  DigestFunction_Value,
  DirectorySchema,
  TreeSchema,
} from "@cuenv/reapi/messages";
import type { GrpcClient } from "./grpc-client.ts";
import { hostileMessage } from "./hostile-messages.ts";
import { type KnownBlob, knownBlob } from "./hostile-names.ts";
import type { Random } from "./seeded-random.ts";

/** Blobs for calls to name, and to find in the server: contents, and messages that name others, sound or not. */
export async function storeSeeds(
  client: GrpcClient,
  random: Random,
): Promise<readonly KnownBlob[]> {
  const blobs: KnownBlob[] = [knownBlob(Buffer.from("a")), knownBlob(Buffer.from("b"), "blake3")];
  blobs.push(knownBlob(Buffer.alloc(100_000, "c")), knownBlob(Buffer.alloc(2_500_000, "d")));
  blobs.push(knownBlob(encoded(ActionSchema, { doNotCache: true })));
  const digest = { hash: blobs[0]?.digest.hash ?? "", sizeBytes: 1n };
  const directory = { files: [{ name: "a", digest }] };
  blobs.push(knownBlob(encoded(DirectorySchema, directory)));
  blobs.push(knownBlob(encoded(TreeSchema, { root: directory, children: [] })));
  for (let count = 0; count < 30; count += 1) {
    const schema = random.pick<DescMessage>([
      DirectorySchema,
      DirectorySchema,
      TreeSchema,
      ActionSchema,
    ]);
    const making = { random, known: { blobs }, uploadIds: ["none"], wildness: 0.1 };
    blobs.push(knownBlob(hostileMessage(making, schema).subarray(0, 50_000)));
  }
  for (const {
    digest: { hash, sizeBytes },
    digestFunction,
    bytes,
  } of blobs)
    await client.call(Cas.method.batchUpdateBlobs, {
      digestFunction:
        digestFunction === "blake3" ? DigestFunction_Value.BLAKE3 : DigestFunction_Value.SHA256,
      requests: [{ digest: { hash, sizeBytes: BigInt(sizeBytes) }, data: bytes }],
    });
  // Nobody has this one.
  return [...blobs, knownBlob(Buffer.from("absent"))];
}

function encoded(schema: DescMessage, value: Record<string, unknown>): Buffer {
  return Buffer.from(toBinary(schema, create(schema, value)));
}
