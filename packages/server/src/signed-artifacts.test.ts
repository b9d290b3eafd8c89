import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifactKey, createDiskActionStore, encodeArtifactRecord } from "@cuenv/action-cache";
import { createDiskBlobStore, openCacheFolder } from "@cuenv/cas";
import { hashText } from "@cuenv/digest";
import { createSigner, createVerifier, type KeyPair, type TrustedKey } from "@cuenv/signer";
import { generateKeyPair } from "@cuenv/signer/keys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createArtifactStore } from "./artifact-store.ts";
import {
  type ArtifactTrust,
  createRefusalWarnings,
  type RefusedArtifact,
} from "./artifact-trust.ts";

const ours = generateKeyPair();
const theirs = generateKeyPair();
const name = { protocol: "turborepo", namespace: "acme", name: "c13082a5f3e03b6b" };
const about = { headers: { duration: "1200" }, writer: "ci" };
const record = {
  ...name,
  ...about,
  blob: hashText("sha256", "archive"),
  storedAt: "2026-11-22T10:00:00.000Z",
};

let root: string;
beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), "cuenv-signed-")), "cache");
});
afterEach(() => rmSync(join(root, ".."), { recursive: true, force: true }));

const signWith =
  (pair: KeyPair): ArtifactTrust["sign"] =>
  async (type, payload) => [createSigner(pair).sign(type, payload)];

function trusting(more: Partial<TrustedKey> = {}, pair = ours): ArtifactTrust {
  const key = {
    ...ours,
    name: undefined,
    roles: ["developer"],
    namespaces: ["acme"],
    notBeforeMs: undefined,
    notAfterMs: undefined,
    revoked: undefined,
    ...more,
  } satisfies TrustedKey;
  const verifier = createVerifier({ mode: "required", trusted: new Map([[ours.id, key]]) });
  return { sign: signWith(pair), verify: (envelope, at) => verifier.verify(envelope, at) };
}

function open(trust: ArtifactTrust | "whoever writes" = trusting()) {
  const stores = { folder: openCacheFolder({ root }), digestFunction: "sha256" } as const;
  const blobs = createDiskBlobStore(stores);
  const actions = createDiskActionStore(stores);
  const refused: RefusedArtifact[] = [];
  const artifacts = createArtifactStore({
    blobs,
    actions,
    trust: trust === "whoever writes" ? undefined : trust,
    onRefused: (each) => refused.push(each),
  });
  return {
    artifacts,
    actions,
    refused,
    /** As somebody does it who may write into the store. */
    plant: (bytes: Uint8Array) => actions.put(artifactKey("sha256", name), bytes),
    isQuarantined: (): boolean =>
      readdirSync(join(root, "v1"))
        .filter((folder) => folder === "quarantine")
        .some((folder) => readdirSync(join(root, "v1", folder)).length > 0),
    publish: async () => artifacts.publish(name, await blobs.ingest(Buffer.from("archive")), about),
  };
}

describe("artifacts that are signed", () => {
  it("are served as they came in, with what came along", async () => {
    const { artifacts, publish, refused } = open();
    await publish();
    expect(await artifacts.find(name)).toMatchObject({ ...name, ...about, blob: record.blob });
    expect(refused).toEqual([]);
  });

  it.each([
    ["unsigned", "is not signed", undefined],
    ["unknownKey", "is signed by somebody else", signWith(theirs)],
    [
      "badSignature",
      "has our key's id over another's signature",
      async (type: string, payload: Uint8Array) => [
        { ...createSigner(theirs).sign(type, payload), keyid: ours.id },
      ],
    ],
    [
      "badSignature",
      "has our signature of another record",
      async (type: string) => [createSigner(ours).sign(type, Buffer.from("{}"))],
    ],
    [
      "badSignature",
      "has our signature of the same bytes as another kind of entry",
      async (_: string, payload: Uint8Array) => [
        createSigner(ours).sign("application/vnd.cuenv.task-result.v1+json", payload),
      ],
    ],
  ] as const)("T4 (%s): one that %s is a miss, told and put aside", async (reason, _, sign) => {
    const { artifacts, publish, plant, refused, isQuarantined } = open();
    await publish();
    await plant(await encodeArtifactRecord(record, "sha256", sign));
    expect(await artifacts.find(name)).toBeUndefined();
    expect(refused).toMatchObject([{ ...name, origin: "stored", reason }]);
    expect(isQuarantined()).toBe(true);
    expect(await artifacts.find(name)).toBeUndefined();
    expect(refused).toHaveLength(1);
    await publish();
    expect(await artifacts.find(name)).toBeDefined();
  });

  it("T3: one that was signed for another name or namespace is a miss under this one", async () => {
    for (const other of [{ name: "0000000000000000" }, { protocol: "nx" }]) {
      const { artifacts, plant, refused, isQuarantined } = open();
      await plant(await encodeArtifactRecord({ ...record, ...other }, "sha256", signWith(ours)));
      expect(await artifacts.find(name)).toBeUndefined();
      expect(refused).toMatchObject([{ origin: "stored", reason: "keyMismatch" }]);
      expect(isQuarantined()).toBe(true);
    }
  });

  it("T6: are misses once their key is revoked, from then on or for ever", async () => {
    await open().publish();
    const before = Date.parse("2026-01-01");
    for (const revoked of ["always", before] as const) {
      const { artifacts, actions, refused } = open(trusting({ revoked }));
      await actions.put(
        artifactKey("sha256", name),
        await encodeArtifactRecord(record, "sha256", signWith(ours)),
      );
      expect(await artifacts.find(name)).toBeUndefined();
      expect(refused).toMatchObject([{ reason: "revokedKey", keyId: ours.id }]);
    }
  });

  it("are created once as unsigned ones are, unless what lies there is not trusted", async () => {
    const { artifacts, plant, publish } = open();
    await publish();
    expect(await artifacts.publishOnce(name, record.blob, about)).toBe("present");
    await plant(await encodeArtifactRecord(record, "sha256"));
    expect(await artifacts.publishOnce(name, record.blob, about)).toBe("stored");
    expect(await artifacts.find(name)).toBeDefined();
  });

  it("are not kept where what is signed here is not accepted, which is no failure to their writer", async () => {
    for (const [trust, reason] of [
      [trusting({}, theirs), "unknownKey"],
      [trusting({ namespaces: ["umbrella"] }), "wrongNamespace"],
      [{ ...trusting(), sign: () => Promise.resolve([]) }, "unsigned"],
    ] as const) {
      const { artifacts, actions, publish, refused } = open(trust);
      await publish();
      expect(await artifacts.publishOnce(name, record.blob, about)).toBe("unkept");
      expect(refused).toMatchObject([
        { origin: "incoming", reason },
        { origin: "incoming", reason },
      ]);
      expect(await actions.get(artifactKey("sha256", name))).toBeUndefined();
    }
  });

  it("are told of in one line for each key and cause", () => {
    const lines: string[] = [];
    const tell = createRefusalWarnings((line) => lines.push(line));
    const refused = { ...name, origin: "stored", reason: "unknownKey", detail: "why" } as const;
    for (const keyId of ["one", "two", "one"]) tell({ ...refused, keyId });
    tell({ ...refused, reason: "unsigned", keyId: undefined });
    tell({ ...refused, origin: "incoming", keyId: "one", detail: "whatever" });
    // Whoever could not sign has said so.
    tell({ ...refused, origin: "incoming", reason: "unsigned", keyId: undefined });
    expect(lines).toEqual([
      "stored artifacts are not used, c13082a5f3e03b6b for one: why",
      "stored artifacts are not used, c13082a5f3e03b6b for one: why",
      "stored artifacts are not used, c13082a5f3e03b6b for one: why",
      "artifacts are not kept: whatever",
    ]);
  });
});

describe("a store without a policy", () => {
  it("believes its writers, signed or not", async () => {
    const { artifacts, publish, plant, refused } = open("whoever writes");
    await publish();
    for (const sign of [undefined, signWith(theirs)]) {
      await plant(await encodeArtifactRecord(record, "sha256", sign));
      expect(await artifacts.find(name)).toEqual(record);
    }
    expect(refused).toEqual([]);
  });
});
