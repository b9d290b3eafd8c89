import {
  type ArtifactRecord,
  decodeArtifactRecord,
  encodeArtifactRecord,
} from "@cuenv/action-cache";
import type { Digest, DigestFunction } from "@cuenv/digest";
import type { ArtifactAbout, ArtifactName } from "./artifact-store.ts";
import type { ArtifactTrust, RefusedArtifact } from "./artifact-trust.ts";

/** Records of artifacts to and from the bytes of entries, judged as the trust of a server says. */
export interface ArtifactEntries {
  /** Undefined: it cannot be used, which was told. @param refused what else is to be done about one that is not trusted */
  open(
    bytes: Uint8Array,
    name: ArtifactName,
    from: "stored" | "remote",
    refused?: () => Promise<void>,
  ): Promise<ArtifactRecord | undefined>;
  /** Undefined when nobody would use it, which was told. */
  make(name: ArtifactName, blob: Digest, about: ArtifactAbout): Promise<Uint8Array | undefined>;
}

export interface ArtifactEntriesOptions {
  readonly digestFunction: DigestFunction;
  readonly now: () => number;
  /** A record that cannot be read: it counts as missing. */
  readonly onDamage?: ((message: string) => void) | undefined;
  /** Undefined: who may write is believed, and nothing is signed. */
  readonly trust?: ArtifactTrust | undefined;
  readonly onRefused?: ((refused: RefusedArtifact) => void) | undefined;
}

export function createArtifactEntries(options: ArtifactEntriesOptions): ArtifactEntries {
  const { digestFunction, now, onDamage, trust, onRefused } = options;
  const decode = (bytes: Uint8Array, name: ArtifactName) =>
    decodeArtifactRecord(bytes, digestFunction, name, trust?.verify);
  /** Namespaces in which what is signed here is accepted. */
  const acceptable = new Set<string>();
  return {
    async open(bytes, name, origin, refused) {
      const decoded = decode(bytes, name);
      if (decoded.kind === "record") return decoded.record;
      const { detail } = decoded;
      if (decoded.kind === "refused") {
        onRefused?.({ ...name, origin, reason: decoded.reason, keyId: decoded.keyId, detail });
        await refused?.();
        return undefined;
      }
      const { fault: reason } = decoded;
      if (trust !== undefined && reason === "keyMismatch") {
        onRefused?.({ ...name, origin, reason, keyId: undefined, detail });
        await refused?.();
      }
      const where = origin === "stored" ? "" : " in the remote cache";
      onDamage?.(`the record of ${name.namespace}/${name.name}${where} cannot be used: ${detail}`);
      return undefined;
    },
    async make(name, blob, about) {
      const storedAt = new Date(now()).toISOString();
      const record = { ...name, blob, ...about, storedAt };
      const entry = await encodeArtifactRecord(record, digestFunction, trust?.sign);
      if (trust === undefined || acceptable.has(name.namespace)) return entry;
      const decoded = decode(entry, name);
      if (decoded.kind === "record") acceptable.add(name.namespace);
      if (decoded.kind !== "refused") return entry;
      const { reason, keyId, detail } = decoded;
      onRefused?.({ ...name, origin: "incoming", reason, keyId, detail });
      return undefined;
    },
  };
}
