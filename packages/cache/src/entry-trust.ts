import type { ActionCacheOptions } from "@cuenv/action-cache";
import { checksum, type Seal, secretSeal } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import {
  createSigner,
  createVerifier,
  derivedSecret,
  type KeyPair,
  machineKeyPath,
  openSignatureMemo,
  readKeyFile,
  readTrustFile,
  type SignatureMemo,
  type Signer,
  type Verifier,
  type VerifyingMode,
} from "@cuenv/signer";
import type { CacheEvent } from "./cache-event.ts";
import { givenKey } from "./given-key.ts";

/** Whose results are used, and what ours are signed with. */
export interface TrustPolicy {
  readonly mode: VerifyingMode | "off";
  /** Absolute; it need not be there. */
  readonly trustFile: string;
  /** Absolute: this machine's key lies in it, and is made there when it is first needed. */
  readonly stateDirectory: string;
  /** The text of a key file, in place of this machine's key; for CI. */
  readonly signingKey?: string | undefined;
  /** Absolute: a key file in place of this machine's key. */
  readonly signingKeyFile?: string | undefined;
}

export interface EntryTrustOptions {
  readonly policy: TrustPolicy;
  /** Undefined: there is none. */
  readonly workspaceRoot: string | undefined;
  readonly cacheDirectory: string;
  readonly namespace: string;
  /** Where good signatures are remembered; undefined: nowhere. */
  readonly memoPath: string | undefined;
  readonly now: () => number;
  readonly emit: (event: CacheEvent) => void;
}

/** The signing and verifying of one engine: what its action cache is made with. */
export interface EntryTrust extends Pick<ActionCacheOptions, "verify" | "trusts" | "sign"> {
  /** Why nothing that this machine signs would be accepted here: then nothing is stored. Makes the machine's key if need be. */
  readonly unacceptable: () => Promise<string | undefined>;
  readonly saveMemo: () => void;
  /**
   * What is remembered of this workspace under `name` is bound with, so that nobody else's is believed. Undefined: there is no key yet, so nothing
   * is recalled or kept.
   */
  readonly seal: (name: string) => Seal | undefined;
}

const nobody: EntryTrust = {
  verify: undefined,
  trusts: undefined,
  sign: undefined,
  unacceptable: () => Promise.resolve(undefined),
  saveMemo: () => undefined,
  seal: () => checksum,
};

/**
 * Nothing is read before the first entry or memo is, but for the trust file: a mistake in it is one of the configuration. The key is made by the first
 * store, never by a lookup.
 * @throws {CuenvError} TRUST_FILE_INVALID, TRUST_FILE_EXPOSED, TRUST_FILE_PLACE; TRUST_KEY_INVALID, TRUST_KEY_EXPOSED for a key that is given
 */
export function createEntryTrust(options: EntryTrustOptions): EntryTrust {
  const { policy, namespace, now } = options;
  const { mode } = policy;
  if (mode === "off") return nobody;
  const { workspaceRoot, cacheDirectory } = options;
  const foreign = workspaceRoot === undefined ? [cacheDirectory] : [workspaceRoot, cacheDirectory];
  const trusted = readTrustFile({ path: policy.trustFile, foreign });
  const ownKey = openOwnKey(policy, options.emit);
  const memo = openMemo(options.memoPath, ownKey.read);
  const memoSecret = lazySecret(ownKey.read, "workspace memo");
  let verifier: Verifier | undefined;
  let verifierKey: KeyPair | undefined;
  let signer: Signer | undefined;
  const verifierFor = (pair: KeyPair | undefined): Verifier => {
    if (verifier === undefined || pair !== verifierKey)
      verifier = createVerifier({ mode, trusted, ownKey: pair, now, memo });
    verifierKey = pair;
    return verifier;
  };
  const ownSigner = async (): Promise<Signer | undefined> => {
    if (signer !== undefined) return signer;
    const pair = await ownKey.make();
    if (pair === undefined) return undefined;
    verifierFor(pair);
    try {
      return (signer = createSigner(pair, memo));
    } catch (error) {
      options.emit(signerTrouble(error));
      return undefined;
    }
  };
  // Where only the trust file counts, our own key need not be read.
  const currentVerifier = (): Verifier => verifierFor(mode === "local" ? ownKey.read() : undefined);
  return {
    verify: (envelope, context) => currentVerifier().verify(envelope, context),
    trusts: (key, context) => currentVerifier().trusts(key, context),
    sign: async (payloadType, payload) => {
      const own = await ownSigner();
      return own === undefined ? [] : [own.sign(payloadType, payload)];
    },
    unacceptable: async () => {
      const own = await ownSigner();
      if (own === undefined || verifier === undefined) return "there is no key to sign them with";
      const pair = { id: own.keyId, publicKey: own.publicKey };
      const verdict = verifier.trusts(pair, { namespace });
      return verdict.kind === "refused" ? verdict.detail : undefined;
    },
    saveMemo: () => memo?.save(),
    seal: (name) => {
      const secret = memoSecret();
      return secret && secretSeal(secret, `${name} of ${workspaceRoot ?? ""}`);
    },
  };
}

interface OwnKey {
  /** Undefined: it is not there, or cannot be used. Never throws. */
  readonly read: () => KeyPair | undefined;
  readonly make: () => Promise<KeyPair | undefined>;
}

function openOwnKey(policy: TrustPolicy, emit: EntryTrustOptions["emit"]): OwnKey {
  const { stateDirectory } = policy;
  const given = givenKey(policy);
  if (given !== undefined) return { read: () => given, make: () => Promise.resolve(given) };
  const path = machineKeyPath(stateDirectory);
  let pair: KeyPair | undefined;
  let failed = false;
  const orTrouble = <Value>(step: () => Value): Value | undefined => {
    try {
      return step();
    } catch (error) {
      failed = true;
      emit(signerTrouble(error));
      return undefined;
    }
  };
  return {
    read: () => {
      // One that is not there may be made by another process while this one runs.
      if (!failed) pair ??= orTrouble(() => readKeyFile(path));
      return pair;
    },
    make: async () => {
      const { readOrMakeKey } = await import("@cuenv/signer/keys");
      if (!failed) pair ??= orTrouble(() => readOrMakeKey(path));
      return pair;
    },
  };
}

function signerTrouble(error: unknown): CacheEvent {
  return { type: "trouble", task: undefined, cause: "signer", message: messageOf(error) };
}

function messageOf(error: unknown): string {
  if (!(error instanceof CuenvError)) return error instanceof Error ? error.message : String(error);
  return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
}

/** What is remembered is sealed with a secret that comes from the key, so that a cache folder that was copied here brings no verdicts. */
function openMemo(
  path: string | undefined,
  ownKey: () => KeyPair | undefined,
): SignatureMemo | undefined {
  if (path === undefined) return undefined;
  return openSignatureMemo({ path, secret: lazySecret(ownKey, "signature memo") });
}

/** Undefined as long as there is no key. */
function lazySecret(
  ownKey: () => KeyPair | undefined,
  purpose: string,
): () => Uint8Array | undefined {
  let secret: Uint8Array | undefined;
  return () => {
    const pair = secret === undefined ? ownKey() : undefined;
    if (pair !== undefined) secret = derivedSecret(pair, purpose);
    return secret;
  };
}
