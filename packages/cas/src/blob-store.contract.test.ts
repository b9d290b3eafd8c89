import { type Digest, type DigestFunction, digestFunctions } from "@cuenv/digest";
import { rmSync, writeFileSync } from "node:fs";
import { makeFolder } from "../test/workspace.ts";
import { openCacheFolder } from "./cache-folder.ts";
import { blobStoreContract, type BlobStoreUnderTest } from "./contract.ts";
import { createDiskBlobStore } from "./disk-blob-store.ts";
import { blobPath } from "./disk-layout.ts";
import type { Durability } from "./durability.ts";
import { createMemoryBlobStore } from "./memory-blob-store.ts";
import { createTieredBlobStore } from "./tiered-blob-store.ts";

function diskStore(digestFunction: DigestFunction, durability: Durability): BlobStoreUnderTest {
  const base = makeFolder();
  const folder = openCacheFolder({ root: `${base}/cache`, durability });
  return {
    store: createDiskBlobStore({ folder, digestFunction }),
    corrupt: (digest: Digest, bytes) =>
      writeFileSync(blobPath(folder.root, digestFunction, digest.hash), bytes),
    close: () => rmSync(base, { recursive: true, force: true }),
  };
}

const damageable = { canCorrupt: true };

for (const digestFunction of digestFunctions) {
  blobStoreContract(
    `disk, ${digestFunction}`,
    () => diskStore(digestFunction, "relaxed"),
    damageable,
  );
}
blobStoreContract("disk, batch durability", () => diskStore("sha256", "batch"), damageable);
blobStoreContract("disk, full durability", () => diskStore("sha256", "full"), damageable);

blobStoreContract(
  "memory",
  () => ({
    store: createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 64 * 1024 * 1024 }),
  }),
  { canCorrupt: false },
);

blobStoreContract(
  "a disk with memory in front of it",
  () => {
    const disk = diskStore("sha256", "relaxed");
    const memory = createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 1024 * 1024 });
    return {
      store: createTieredBlobStore({ tiers: [memory, disk.store] }),
      close: () => disk.close?.(),
    };
  },
  { canCorrupt: false },
);

blobStoreContract(
  "memory with an unwritable disk in front of it",
  () => {
    const base = makeFolder();
    const folder = openCacheFolder({ root: `${base}/cache`, readOnly: true });
    const disk = createDiskBlobStore({ folder, digestFunction: "sha256" });
    const memory = createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 64 * 1024 * 1024 });
    return {
      store: createTieredBlobStore({ tiers: [disk, memory] }),
      close: () => rmSync(base, { recursive: true, force: true }),
    };
  },
  { canCorrupt: false },
);
