import { actionStoreContract } from "@cuenv/action-cache/contract";
import { blobStoreContract } from "@cuenv/cas/contract";
import { type Digest, digestFunctions } from "@cuenv/digest";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openRemote } from "../test/open-remote.ts";

for (const digestFunction of digestFunctions) {
  for (const compression of [false, true]) {
    const name = `gRPC, ${digestFunction}, ${compression ? "compressed" : "plain"}`;
    blobStoreContract(
      name,
      async () => {
        const { cache, server, close } = await openRemote({ digestFunction, compression });
        return {
          store: cache.blobs,
          corrupt: ({ hash }: Digest, bytes: Uint8Array) =>
            writeFileSync(
              join(server.root, "v1", "cas", digestFunction, hash.slice(0, 2), hash),
              bytes,
            ),
          close,
        };
      },
      // Damage on the server's disk is found by the server, and is an absence to its clients.
      { canCorrupt: false },
    );
  }
  actionStoreContract(
    `gRPC, ${digestFunction}`,
    async () => {
      const { cache, close } = await openRemote({ digestFunction });
      return { store: cache.actions, close };
    },
    { isCreateAtomic: false },
  );
}
