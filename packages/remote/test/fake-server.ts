import {
  create,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type Metadata, Server, ServerCredentials, status as grpcStatus } from "@grpc/grpc-js";
import {
  Capabilities,
  Compressor_Value,
  DigestFunction_Value,
  type CacheCapabilitiesSchema,
} from "@cuenv/reapi/messages";

/** What a scripted method answers with: a message, several, or a status. */
export type Answer<Method extends DescMethod> =
  | MessageInitShape<Method["output"]>
  | readonly MessageInitShape<Method["output"]>[]
  | keyof typeof grpcStatus;

export interface Scripted {
  readonly method: DescMethod;
  readonly answer: (request: never, metadata: Metadata) => unknown;
}

/** Says what a method answers. */
export function on<Method extends DescMethod>(
  method: Method,
  answer: (
    request: MessageShape<Method["input"]>,
    metadata: Metadata,
  ) => Answer<Method> | Promise<Answer<Method>>,
): Scripted {
  return { method, answer };
}

/** Capabilities as another server might have them. */
export function capable(more: MessageInitShape<typeof CacheCapabilitiesSchema> = {}): Scripted {
  return on(Capabilities.method.getCapabilities, (): object => ({
    cacheCapabilities: {
      digestFunctions: [DigestFunction_Value.SHA256],
      actionCacheUpdateCapabilities: { updateEnabled: true },
      supportedCompressors: [Compressor_Value.IDENTITY],
      ...more,
    },
    lowApiVersion: { major: 2 },
    highApiVersion: { major: 2, minor: 3 },
  }));
}

export interface FakeServer {
  readonly address: string;
  /** Names of the methods that were called, in their order. */
  readonly calls: string[];
  readonly close: () => void;
}

/** A server of another implementation (grpc-js) that does what it is told: faults that no real server gives on demand. */
export async function startFakeServer(scripted: readonly Scripted[]): Promise<FakeServer> {
  const server = new Server({ "grpc.max_receive_message_length": -1 });
  const calls: string[] = [];
  const services = new Map<string, Scripted[]>();
  for (const each of scripted) {
    const name = each.method.parent.typeName;
    services.set(name, [...(services.get(name) ?? []), each]);
  }
  for (const methods of services.values()) {
    const definition = methods.map(({ method }) => [method.name, definitionOf(method)]);
    const handlers = methods.map((each) => [each.method.name, handlerOf(each, calls)]);
    server.addService(
      Object.fromEntries(definition) as never,
      Object.fromEntries(handlers) as never,
    );
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { address: `127.0.0.1:${port}`, calls, close: () => server.forceShutdown() };
}

function definitionOf(method: DescMethod) {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === "client_streaming",
    responseStream: method.methodKind === "server_streaming",
    requestDeserialize: (bytes: Buffer) => fromBinary(method.input, bytes),
    requestSerialize: () => Buffer.alloc(0),
    responseSerialize: (message: never) =>
      Buffer.from(toBinary(method.output, create(method.output, message))),
    responseDeserialize: () => undefined,
  };
}

interface Call {
  readonly request: never;
  readonly metadata: Metadata;
  readonly write: (message: unknown) => void;
  readonly end: () => void;
  readonly emit: (event: string, error: unknown) => void;
  readonly on: (event: string, listener: (message: never) => void) => void;
}

function handlerOf({ method, answer }: Scripted, calls: string[]) {
  return (call: Call, callback?: (error: unknown, message?: unknown) => void): void => {
    calls.push(method.name);
    const respond = async (request: never): Promise<void> => {
      const answered = await answer(request, call.metadata);
      if (typeof answered === "string") {
        const code = grpcStatus[answered as keyof typeof grpcStatus];
        // As some proxies do, it repeats what it was sent.
        const sent = String(call.metadata.get("authorization"));
        const failure = { code, details: `as scripted for ${sent}` };
        if (callback === undefined) call.emit("error", failure);
        else callback(failure);
      } else if (callback === undefined) {
        for (const message of Array.isArray(answered) ? answered : [answered]) call.write(message);
        call.end();
      } else callback(null, answered);
    };
    if (method.methodKind !== "client_streaming") {
      void respond(call.request);
      return;
    }
    let first: unknown;
    call.on("data", (message) => void (first ??= message));
    call.on("end", () => void respond(first as never));
  };
}
