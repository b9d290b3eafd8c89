import type { Digest } from "@cuenv/digest";
import { GrpcError } from "../grpc/grpc-status.ts";
import type { NamespaceBlobs } from "./namespace-blobs.ts";
import { createPushSource } from "./push-source.ts";

/** One upload of a blob, over one call or, when a connection breaks, several. Its bytes are in a temporary file of the store; here is how many. */
export interface Upload {
  /** Bytes of the blob, decompressed, that were taken. */
  readonly receivedBytes: number;
  /** @throws {GrpcError} OUT_OF_RANGE when they are more than the blob has, ABORTED when another call has taken over; what the store throws */
  push(chunk: Uint8Array): Promise<void>;
  /** That was all: verifies and stores. @throws {GrpcError} ABORTED as `push`; what the store throws */
  finish(): Promise<void>;
  /** The call ends and this does not: it waits to be resumed. */
  leave(): void;
}

export interface UploadName {
  /** Names the upload: namespace, the client's upload id and the blob. */
  readonly key: string;
  readonly namespace: string;
  readonly digest: Digest;
}

/** Uploads that are under way, or that broke off and may be resumed. */
export interface Uploads {
  /**
   * The upload that goes on at `offset`: a new one at 0 (what was there is dropped), else the one that has so many bytes.
   * @throws {GrpcError} INVALID_ARGUMENT when there is none with so many; UNAVAILABLE when there are too many at once
   */
  open(name: UploadName, offset: number, blobs: NamespaceBlobs): Upload;
  /** Bytes that an upload has; undefined: there is none. */
  receivedBytes(key: string): number | undefined;
  /** Drops them all. */
  close(): void;
}

/** How long what broke off waits to be resumed (ms), and how many do at the most: each holds a temporary file. */
const idleMs = 60_000;
const maxIdle = 64;
const maxUploads = 1024;

interface Session {
  readonly name: UploadName;
  receivedBytes: number;
  /** The call that pushes; undefined: it broke off. */
  owner: symbol | undefined;
  idleSinceMs: number;
  readonly push: (chunk: Uint8Array) => Promise<void>;
  readonly finish: () => Promise<void>;
  readonly drop: (reason: GrpcError) => void;
}

export function createUploads(now: () => number): Uploads {
  const sessions = new Map<string, Session>();
  // One that was begun anew has the name by then, and has to be found under it: to be resumed, or to be dropped.
  const forget = (session: Session): void => {
    if (sessions.get(session.name.key) === session) sessions.delete(session.name.key);
  };
  const drop = (session: Session, why: string): void => {
    forget(session);
    session.drop(new GrpcError("ABORTED", why));
  };
  const dropIdle = (): void => {
    const idle = [...sessions.values()].filter(({ owner }) => owner === undefined);
    const excess = idle.length - maxIdle;
    for (const [index, session] of idle.entries())
      if (index < excess || now() - session.idleSinceMs > idleMs)
        drop(session, "the upload was not resumed in time");
  };
  return {
    open(name, offset, blobs) {
      dropIdle();
      const before = sessions.get(name.key);
      if (offset !== 0 && before?.receivedBytes !== offset)
        throw new GrpcError(
          "INVALID_ARGUMENT",
          `an upload that has ${before?.receivedBytes ?? 0} bytes cannot go on at ${offset}`,
        );
      if (offset === 0 && before !== undefined) drop(before, "the upload was begun anew");
      if (sessions.size >= maxUploads)
        throw new GrpcError("UNAVAILABLE", `more than ${maxUploads} uploads are under way`);
      const session = (offset === 0 ? undefined : before) ?? begin(name, blobs);
      sessions.set(name.key, session);
      return take(session, {
        ended: () => forget(session),
        left: () => {
          session.idleSinceMs = now();
          setTimeout(dropIdle, idleMs + 1000).unref();
        },
      });
    },
    receivedBytes: (key) => sessions.get(key)?.receivedBytes,
    close() {
      for (const session of sessions.values()) drop(session, "the server ends");
    },
  };
}

function begin(name: UploadName, blobs: NamespaceBlobs): Session {
  const source = createPushSource();
  const stop = new AbortController();
  const written = blobs.write(name.namespace, name.digest, source, stop.signal);
  // A store that fails stops whoever pushes.
  written.catch((error: unknown) => source.fail(error));
  return {
    name,
    receivedBytes: 0,
    owner: undefined,
    idleSinceMs: 0,
    push: (chunk) => source.push(chunk),
    finish: () => {
      source.end();
      return written;
    },
    drop: (reason) => {
      stop.abort(reason);
      source.fail(reason);
    },
  };
}

function take(
  session: Session,
  told: { readonly ended: () => void; readonly left: () => void },
): Upload {
  const me = Symbol("call");
  session.owner = me;
  const assertOwner = (): void => {
    if (session.owner !== me)
      throw new GrpcError("ABORTED", "another call has taken over the upload");
  };
  return {
    get receivedBytes() {
      return session.receivedBytes;
    },
    async push(chunk) {
      assertOwner();
      if (chunk.length === 0) return;
      const { sizeBytes } = session.name.digest;
      if (session.receivedBytes + chunk.length > sizeBytes) {
        const error = new GrpcError(
          "OUT_OF_RANGE",
          `the blob has ${sizeBytes} bytes, and more came`,
        );
        told.ended();
        session.drop(error);
        throw error;
      }
      session.receivedBytes += chunk.length;
      try {
        await session.push(chunk);
      } catch (error) {
        told.ended();
        throw error;
      }
    },
    async finish() {
      assertOwner();
      try {
        await session.finish();
      } finally {
        told.ended();
      }
    },
    leave() {
      if (session.owner !== me) return;
      session.owner = undefined;
      told.left();
    },
  };
}
