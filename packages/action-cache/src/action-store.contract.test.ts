import { openCacheFolder } from "@cuenv/cas";
import { digestFunctions } from "@cuenv/digest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ActionStoreUnderTest, actionStoreContract } from "./contract.ts";
import { createDiskActionStore } from "./disk-action-store.ts";
import { createMemoryActionStore } from "./memory-action-store.ts";
import { createTieredActionStore } from "./tiered-action-store.ts";

function disk(
  options: {
    durability?: "full" | "relaxed";
    readOnly?: boolean;
    digestFunction?: "sha256" | "blake3";
  } = {},
): ActionStoreUnderTest {
  const base = mkdtempSync(join(tmpdir(), "cuenv-ac-"));
  const { digestFunction = "sha256", ...rest } = options;
  const folder = openCacheFolder({ root: `${base}/cache`, ...rest });
  return {
    store: createDiskActionStore({ folder, digestFunction }),
    close: () => rmSync(base, { recursive: true, force: true }),
  };
}

const memory = () => createMemoryActionStore({ digestFunction: "sha256", maxBytes: 10_000_000 });

for (const digestFunction of digestFunctions) {
  actionStoreContract(`disk, ${digestFunction}`, () => disk({ digestFunction }), {
    tellsVersions: true,
  });
}
actionStoreContract("disk, full durability", () => disk({ durability: "full" }), {
  tellsVersions: true,
});
actionStoreContract("memory", () => ({ store: memory() }));
actionStoreContract("a disk with memory in front of it", () => {
  const { store, close } = disk();
  return { store: createTieredActionStore({ tiers: [memory(), store] }), close: () => close?.() };
});
actionStoreContract("memory behind a disk that cannot be written", () => {
  const { store, close } = disk({ readOnly: true });
  return { store: createTieredActionStore({ tiers: [store, memory()] }), close: () => close?.() };
});
