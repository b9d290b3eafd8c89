import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createMemoryBlobStore, openCacheFolder } from "@cuenv/cas";
import { checksum, hashText, type Seal, sealText, secretSeal } from "@cuenv/digest";
import { createSigner, createVerifier, type KeyPair, type TrustedKey } from "@cuenv/signer";
import { generateKeyPair } from "@cuenv/signer/keys";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { makeResult } from "../test/result.ts";
import { createActionCache, type Lookup } from "./action-cache.ts";
import type { ActionStore } from "./action-store.ts";
import { createDiskActionStore } from "./disk-action-store.ts";
import { createEntryMemo } from "./entry-memo.ts";

const ours = generateKeyPair();
const theirs = generateKeyPair();
const sealOf = (secret: string): Seal => secretSeal(Buffer.from(secret.padEnd(32)), "entries");

let root: string;
/** How often an entry was read whole. */
let reads: number;
/** What the last run kept. */
let kept: string | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "entry-memo-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  reads = 0;
  kept = undefined;
});

function trusted(pair: KeyPair, changed: Partial<TrustedKey> = {}): TrustedKey {
  return {
    ...pair,
    name: undefined,
    roles: ["developer"],
    namespaces: ["*"],
    notBeforeMs: undefined,
    notAfterMs: undefined,
    revoked: undefined,
    ...changed,
  };
}

interface RunOptions {
  readonly keys?: readonly TrustedKey[];
  readonly signWith?: KeyPair;
  readonly isTrustOff?: boolean;
  readonly seal?: Seal | undefined;
  readonly build?: string;
}

function countingReads(actions: ActionStore): ActionStore {
  return {
    ...actions,
    getChanged: async (...asked) => {
      const found = await actions.getChanged?.(...asked);
      if (found?.bytes !== undefined) reads += 1;
      return found;
    },
  };
}

/** The action cache of one process; `keep` is its end. */
function openRun(options: RunOptions = {}) {
  const { signWith = ours, isTrustOff = false, build = "1.0.0" } = options;
  const seal = "seal" in options ? options.seal : sealOf("of this machine");
  const folder = openCacheFolder({ root });
  const keys = options.keys ?? [trusted(ours)];
  const verifier = createVerifier({
    mode: "required",
    trusted: new Map(keys.map((key) => [key.id, key])),
  });
  const memo = createEntryMemo({ read: () => kept, seal: () => seal, build });
  const signer = createSigner(signWith);
  const cache = createActionCache({
    actions: countingReads(createDiskActionStore({ folder, digestFunction: "sha256" })),
    blobs: createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 1 << 20 }),
    namespace: "default",
    memo,
    ...(isTrustOff
      ? {}
      : {
          verify: (envelope, context) => verifier.verify(envelope, context),
          trusts: (key, context) => verifier.trusts(key, context),
        }),
    sign: async (type, payload) => [signer.sign(type, payload)],
  });
  const keep = (): void => {
    kept = memo.serialize() ?? kept;
  };
  return { cache, memo, keep };
}

async function lookUp(options: RunOptions = {}): Promise<Lookup> {
  const { cache, keep } = openRun(options);
  const found = await cache.get(makeResult().key);
  keep();
  return found;
}

/** Stored, and so old that its stat vouches for it. */
async function store(options: RunOptions = {}, result = makeResult()): Promise<void> {
  await openRun(options).cache.put(result);
  await sleep(150);
}

describe("what is remembered of entries", () => {
  it("is the same result, without a read, as long as the entry is the same", async () => {
    await store();
    const first = await lookUp();
    expect(first).toMatchObject({ kind: "hit", result: makeResult() });
    expect(reads).toBe(1);
    expect(await lookUp()).toEqual(first);
    expect(await lookUp()).toEqual(first);
    expect(reads).toBe(1);
  });

  it("is the next result where another one was put in its place, and none where it was taken away", async () => {
    await store();
    await lookUp();
    await store({}, makeResult({ durationMs: 99 }));
    expect(await lookUp()).toMatchObject({ kind: "hit", result: { durationMs: 99 } });
    await openRun().cache.forget(makeResult().key);
    expect(await lookUp()).toMatchObject({ kind: "miss", reason: "absent" });
    expect(reads).toBe(2);
  });

  it("is nothing yet of an entry that was stored just now", async () => {
    await openRun().cache.put(makeResult());
    await lookUp();
    expect(kept).toBeUndefined();
    await lookUp();
    expect(reads).toBe(2);
  });

  it("T6: asks anew whether the signer is trusted, now and for the time of the result", async () => {
    await store();
    await lookUp();
    const at = Date.parse(makeResult().startedAt);
    const reasons: Record<string, readonly TrustedKey[]> = {
      unknownKey: [trusted(theirs)],
      revokedKey: [trusted(ours, { revoked: "always" })],
      wrongNamespace: [trusted(ours, { namespaces: ["main"] })],
      expiredKey: [trusted(ours, { notAfterMs: at })],
    };
    for (const [reason, keys] of Object.entries(reasons))
      expect(await lookUp({ keys }), reason).toMatchObject({
        kind: "miss",
        reason: "untrusted",
        refusal: { reason },
      });
    expect(await lookUp({ keys: [trusted(ours, { revoked: at })] })).toMatchObject({
      refusal: { reason: "revokedKey" },
    });
    expect(reads).toBe(6);
    expect(await lookUp({ keys: [trusted(ours, { revoked: at + 60_000 })] })).toMatchObject({
      kind: "hit",
    });
    expect(reads).toBe(6);
  });

  it("T4: does not take another key of the same id for the signer", async () => {
    await store();
    await lookUp();
    const imposter = trusted({ ...ours, publicKey: theirs.publicKey });
    expect(await lookUp({ keys: [imposter] })).toMatchObject({ reason: "untrusted" });
  });

  it("is not believed where nobody was asked for a signature, once one is", async () => {
    await store({ signWith: theirs });
    expect(await lookUp({ isTrustOff: true })).toMatchObject({ kind: "hit" });
    expect(await lookUp()).toMatchObject({ reason: "untrusted" });
    expect(await lookUp({ isTrustOff: true })).toMatchObject({ kind: "hit" });
    expect(reads).toBe(2);
  });

  it("is forgotten by another machine, another version of cuenv, and when it is damaged", async () => {
    await store();
    await lookUp();
    const good = kept;
    expect(good).toBeDefined();
    const others: readonly RunOptions[] = [
      { seal: sealOf("of another machine") },
      { seal: undefined },
      { build: "1.0.1" },
    ];
    for (const other of others) {
      kept = good;
      expect(await lookUp(other)).toMatchObject({ kind: "hit" });
    }
    kept = good?.replace('"durationMs":12.5', '"durationMs":99.9');
    expect(await lookUp()).toMatchObject({ kind: "hit", result: makeResult() });
    expect(reads).toBe(1 + others.length + 1);
  });

  it("is passed over where it is no result at all", async () => {
    await store();
    const seal = checksum;
    expect(await lookUp({ seal })).toMatchObject({ kind: "hit" });
    const [head = "", row = ""] = kept?.slice(65).split("\n") ?? [];
    for (const json of ["{", "null", "{}", "[]", ""]) {
      kept = sealText([head, [...row.split("\t").slice(0, -1), json].join("\t")].join("\n"), seal);
      const found = await openRun({ seal }).cache.get(makeResult().key);
      expect(found, json).toMatchObject({ kind: "hit", result: makeResult() });
    }
    expect(reads).toBe(6);
  });

  it("T3: cannot be brought under another key", async () => {
    const other = { ...hashText("sha256", "another action"), function: "sha256" as const };
    await store();
    await store({}, makeResult({ key: other, durationMs: 1 }));
    const run = openRun({ seal: checksum });
    await run.cache.get(makeResult().key);
    await run.cache.get(other);
    const [head = "", ...rows] = run.memo.serialize()?.slice(65).split("\n") ?? [];
    const cells = rows.map((row) => row.split("\t"));
    const swapped = cells.map((row, index) =>
      [...row.slice(0, -1), cells[1 - index]?.at(-1)].join("\t"),
    );
    kept = sealText([head, ...swapped].join("\n"), checksum);
    for (const key of [makeResult().key, other]) {
      const found = await openRun({ seal: checksum }).cache.get(key);
      expect(found).toMatchObject({ kind: "hit", result: { key } });
    }
    expect(reads).toBe(4);
  });

  it("keeps what this run used, and of the rest as much as is bounded", async () => {
    const memo = createEntryMemo({ read: () => kept, build: "1.0.0" });
    const keyOf = (name: string) => ({
      digest: hashText("sha256", name),
      namespace: "default",
      digestFunction: "sha256" as const,
    });
    const large = (name: string) =>
      makeResult({
        key: { ...keyOf(name).digest, function: "sha256" },
        declaredOutputs: ["x".repeat(300_000)],
      });
    for (const name of ["a", "b", "c", "d", "e", "f"])
      memo.remember(keyOf(name), "1", undefined, large(name));
    kept = memo.serialize();
    expect(kept?.length).toBeGreaterThan(6 * 300_000);
    const next = createEntryMemo({ read: () => kept, build: "1.0.0" });
    expect(next.recall(keyOf("f"))?.result()).toEqual(large("f"));
    expect(next.serialize()).toBeUndefined();
    next.remember(keyOf("g"), "1", undefined, large("g"));
    const last = createEntryMemo({ read: () => next.serialize(), build: "1.0.0" });
    const known = ["a", "b", "c", "d", "e", "f", "g"].filter(
      (name) => last.recall(keyOf(name)) !== undefined,
    );
    expect(known).toEqual(["a", "b", "c", "f", "g"]);
  });
});
