import { create, type DescMethod, toBinary } from "@bufbuild/protobuf";
import type { DigestFunction } from "@cuenv/digest";
import { Capabilities, GetCapabilitiesRequestSchema } from "@cuenv/reapi/messages";
import { type CircuitBreaker, createCircuitBreaker } from "./circuit-breaker.ts";
import type { GrpcChannel } from "./grpc-channel.ts";
import {
  type RemoteCapabilities,
  readCapabilities,
  usualCapabilities,
} from "./remote-capabilities.ts";
import { asRemoteError, isFailure, RemoteError, type Told } from "./remote-error.ts";
import { withRetries } from "./retry.ts";
import { createSlots, type Slots } from "./slots.ts";
import { withAbort } from "./with-abort.ts";

export type Access = "read" | "write";

export interface ConnectionOptions {
  /** One for what is sent and one for the rest: on the same, a question of a few bytes waits for the megabytes that were handed to the socket before it. */
  readonly channels: Readonly<Record<Access, GrpcChannel>>;
  readonly instanceName: string;
  readonly digestFunction: DigestFunction;
  /** A call with all of its attempts takes no longer, and no transfer stands still for longer (ms). */
  readonly timeoutMs: number;
  /** Calls at once. */
  readonly maxConcurrent: number;
  /** False: nothing is compressed, whatever the server can. */
  readonly isCompressing: boolean;
  readonly told: Told;
  readonly now: () => number;
}

export interface CallOptions {
  readonly access: Access;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls of a remote cache, each within its bounds: concurrency, time, attempts, and the breaker. What fails is a RemoteError; a caller's own abort is the
 * reason of its signal.
 */
export interface RemoteConnection {
  readonly instanceName: string;
  readonly digestFunction: DigestFunction;
  readonly told: Told;
  /** Asked once. @throws {RemoteError} FAILED_PRECONDITION when the server is no cache for us */
  capabilities(signal?: AbortSignal): Promise<RemoteCapabilities>;
  call(method: DescMethod, request: Uint8Array, options: CallOptions): Promise<Buffer>;
  /** A transfer, made of one call or several. `step` gets a signal that ends it when {@link Transfer.moved} was not called for too long. */
  transfer<Value>(
    options: CallOptions,
    step: (transfer: Transfer) => Promise<Value>,
  ): Promise<Value>;
  /** False while the breaker is open, or when the server refused this kind of call for good. */
  isUsable(access: Access): boolean;
  /** What it gave came too slowly to be of use: counts as a timeout. */
  tooSlow(): void;
  close(): void;
}

export interface Transfer {
  readonly channel: GrpcChannel;
  readonly signal: AbortSignal;
  /** To be told that bytes moved; with `underwayMs`, that more of them may without our seeing it, for so long. */
  readonly moved: (underwayMs?: number) => void;
}

interface Connection extends ConnectionOptions {
  readonly slots: Slots;
  readonly breaker: CircuitBreaker;
  /** Of what will not be otherwise in this process. */
  readonly refused: Map<Access, RemoteError>;
  /** Those that are made, or wait to be. */
  readonly calls: Set<AbortController>;
}

/** Why a call was ended that nobody called off. */
const tooLate = new Error("too late");

export function createRemoteConnection(options: ConnectionOptions): RemoteConnection {
  const connection: Connection = {
    ...options,
    slots: createSlots(options.maxConcurrent),
    breaker: createCircuitBreaker(options.now),
    refused: new Map(),
    calls: new Set(),
  };
  const { channels, instanceName, digestFunction } = options;
  let asked: Promise<RemoteCapabilities> | undefined;
  const call: RemoteConnection["call"] = (method, request, called) =>
    guarded(connection, called, ({ signal }) =>
      withRetries(() => channels[called.access].call(method, request, signal), signal),
    );
  return {
    instanceName,
    digestFunction,
    told: options.told,
    call,
    capabilities: async (signal) => {
      // Shared by all that ask meanwhile, so it is nobody's to abort; who asks again after a failure asks anew.
      asked ??= negotiate(connection, call).catch((error: unknown) => {
        asked = undefined;
        throw error;
      });
      return withAbort(asked, signal);
    },
    transfer: (called, step) =>
      guarded(connection, called, ({ signal, extend }) =>
        step({ channel: channels[called.access], signal, moved: extend }),
      ),
    tooSlow: () => connection.breaker.failed(true),
    isUsable: (access) => !connection.breaker.isOpen && !connection.refused.has(access),
    close: () => {
      // A call that hangs would keep the process from its end.
      const closed = new RemoteError("CANCELLED", "the connection is closed");
      for (const access of ["read", "write"] as const) connection.refused.set(access, closed);
      for (const own of connection.calls) own.abort(closed);
      for (const channel of Object.values(channels)) channel.close();
    },
  };
}

async function negotiate(
  connection: Connection,
  call: RemoteConnection["call"],
): Promise<RemoteCapabilities> {
  const { instanceName, digestFunction, refused, isCompressing } = connection;
  const request = create(GetCapabilitiesRequestSchema, { instanceName });
  const bytes = toBinary(GetCapabilitiesRequestSchema, request);
  let answer: Buffer;
  try {
    answer = await call(Capabilities.method.getCapabilities, bytes, { access: "read" });
  } catch (error) {
    if (asRemoteError(error).status !== "UNIMPLEMENTED") throw error;
    refused.delete("read");
    return usualCapabilities;
  }
  try {
    const found = readCapabilities(answer, digestFunction);
    if (!found.takesUpdates)
      refused.set(
        "write",
        new RemoteError("PERMISSION_DENIED", "the remote cache takes nothing from us"),
      );
    return isCompressing ? found : { ...found, zstdStreams: false, zstdBatches: false };
  } catch (error) {
    const refusal = asRemoteError(error);
    for (const access of ["read", "write"] as const) refused.set(access, refusal);
    throw refusal;
  }
}

interface Bounded {
  readonly signal: AbortSignal;
  /** From now on as long again, and `moreMs`. */
  readonly extend: (moreMs?: number) => void;
}

/** In its place among others, within the time, and counted by the breaker. Waiting for a place says nothing of the remote: neither its time nor its end counts. */
async function guarded<Value>(
  connection: Connection,
  { access, signal }: CallOptions,
  step: (bounded: Bounded) => Promise<Value>,
): Promise<Value> {
  const { slots, breaker, timeoutMs, calls } = connection;
  signal?.throwIfAborted();
  assertNotRefused(connection, access);
  breaker.assertClosed();
  const own = new AbortController();
  const bounded = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal]);
  calls.add(own);
  try {
    return await slots.run({ access, timeoutMs, signal: bounded }, () => {
      assertNotRefused(connection, access);
      return inTime(connection, access, { own, bounded }, step);
    });
  } finally {
    calls.delete(own);
  }
}

function assertNotRefused({ refused }: Connection, access: Access): void {
  const refusal = refused.get(access);
  if (refusal !== undefined) throw refusal;
}

async function inTime<Value>(
  { breaker, refused, timeoutMs }: Connection,
  access: Access,
  { own, bounded }: { readonly own: AbortController; readonly bounded: AbortSignal },
  step: (bounded: Bounded) => Promise<Value>,
): Promise<Value> {
  breaker.enter();
  const isLate = (): void => own.abort(tooLate);
  let timer = setTimeout(isLate, timeoutMs);
  const extend = (moreMs = 0): void => {
    if (moreMs === 0) return void timer.refresh();
    clearTimeout(timer);
    timer = setTimeout(isLate, timeoutMs + moreMs);
  };
  try {
    const value = await step({ signal: bounded, extend });
    breaker.succeeded();
    return value;
  } catch (error) {
    const isTimeout = bounded.reason === tooLate;
    if (bounded.aborted && !isTimeout) {
      breaker.abandoned();
      throw bounded.reason;
    }
    throw failed(error, { breaker, refused, access, timeoutMs, isTimeout });
  } finally {
    clearTimeout(timer);
  }
}

/** Statuses that will be the same for every call of this kind. */
const refusals: ReadonlySet<string> = new Set([
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "UNIMPLEMENTED",
]);

function failed(
  error: unknown,
  about: Pick<Connection, "breaker" | "refused" | "timeoutMs"> & {
    readonly access: Access;
    readonly isTimeout: boolean;
  },
): unknown {
  const { breaker, refused, access, timeoutMs, isTimeout } = about;
  // A source of bytes that failed, say: not the remote's doing.
  if (!isTimeout && !(error instanceof RemoteError)) {
    breaker.abandoned();
    return error;
  }
  const failure = isTimeout
    ? new RemoteError("DEADLINE_EXCEEDED", `no answer within ${timeoutMs / 1000} s`, error)
    : asRemoteError(error);
  if (refusals.has(failure.status)) {
    refused.set(access, failure);
    breaker.abandoned();
  } else if (isFailure(failure)) breaker.failed(isTimeout);
  else breaker.succeeded();
  return failure;
}
