import { Readable } from "node:stream";
import {
  create,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type ChannelCredentials,
  Client,
  type CallOptions as CallOptionsOfGrpc,
  type ClientOptions,
  type ClientWritableStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";

/** What a call came to: the answer, or the name of its status and what was said. */
export type Outcome<Answer> =
  | { readonly status: "OK"; readonly answer: Answer }
  | { readonly status: string; readonly message: string };

export interface CallOptions {
  readonly token?: string | undefined;
  readonly deadlineMs?: number;
  readonly headers?: Readonly<Record<string, string | Buffer>>;
}

/** An independent client of gRPC: another implementation than the server's, so that what both get wrong alike is seen. */
export interface GrpcClient {
  /** The answer. @throws whose message is `<STATUS>: …` */
  call<Method extends DescMethod>(
    method: Method,
    request: MessageInitShape<Method["input"]>,
    options?: CallOptions,
  ): Promise<MessageShape<Method["output"]>>;
  /** All answers of a stream. @throws as `call`, with those that came before it as `answers` */
  stream<Method extends DescMethod>(
    method: Method,
    request: MessageInitShape<Method["input"]>,
    options?: CallOptions,
  ): Promise<MessageShape<Method["output"]>[]>;
  /** Sends messages one after the other; it is told when the server ends early. */
  send<Method extends DescMethod>(
    method: Method,
    requests:
      | Iterable<MessageInitShape<Method["input"]>>
      | AsyncIterable<MessageInitShape<Method["input"]>>,
    options?: CallOptions & { readonly breakOff?: boolean },
  ): Promise<MessageShape<Method["output"]>>;
  close(): void;
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

export interface GrpcClientOptions {
  readonly token?: string;
  readonly credentials?: ChannelCredentials;
  readonly channel?: ClientOptions;
}

export function openGrpcClient(address: string, options: GrpcClientOptions = {}): GrpcClient {
  const client = new Client(address, options.credentials ?? credentials.createInsecure(), {
    "grpc.max_receive_message_length": 64 * 1024 * 1024,
    ...options.channel,
  });
  const begin = <Method extends DescMethod>(method: Method, call: CallOptions) =>
    [pathOf(method), ...codecOf(method), metadataOf(options, call), deadlineOf(call)] as const;
  return {
    call: (method, request, call = {}) =>
      new Promise((resolve, reject) => {
        const [path, encode, decode, metadata, deadline] = begin(method, call);
        const message = create(method.input, request) as never;
        client.makeUnaryRequest(
          path,
          encode,
          decode,
          message,
          metadata,
          deadline,
          (error, answer) => (error === null ? resolve(answer as never) : reject(named(error))),
        );
      }),
    stream: (method, request, call = {}) =>
      new Promise((resolve, reject) => {
        const answers: MessageShape<typeof method.output>[] = [];
        const [path, encode, decode, metadata, deadline] = begin(method, call);
        const message = create(method.input, request) as never;
        const stream = client.makeServerStreamRequest(
          path,
          encode,
          decode,
          message,
          metadata,
          deadline,
        );
        stream.on("data", (answer) => void answers.push(answer as never));
        stream.on("error", (error: ServiceError) =>
          reject(Object.assign(named(error), { answers })),
        );
        stream.on("end", () => resolve(answers as never));
      }),
    send: (method, requests, call = {}) =>
      new Promise((resolve, reject) => {
        let isOver = false;
        const stream = client.makeClientStreamRequest(...begin(method, call), (error, answer) => {
          isOver = true;
          if (error === null) resolve(answer as never);
          else reject(named(error));
        });
        stream.on("error", () => undefined);
        const messages = Readable.from(requests);
        void (async () => {
          for await (const request of messages) {
            if (isOver) return;
            await written(stream, create(method.input, request as never) as never);
          }
          if (call.breakOff === true) stream.cancel();
          else stream.end();
        })();
      }),
    close: () => client.close(),
  };
}

function written<T>(stream: ClientWritableStream<T>, message: T): Promise<void> {
  return new Promise((resolve) => {
    stream.write(message, () => resolve());
    // A stream that ended early never calls back.
    setTimeout(resolve, 500).unref();
  });
}

function codecOf<Method extends DescMethod>({ input, output }: Method) {
  return [
    (message: MessageShape<Method["input"]>) => Buffer.from(toBinary(input, message)),
    (bytes: Buffer) => fromBinary(output, bytes),
  ] as const;
}

function metadataOf(options: GrpcClientOptions, call: CallOptions): Metadata {
  const metadata = new Metadata();
  const token = "token" in call ? call.token : options.token;
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  for (const [name, value] of Object.entries(call.headers ?? {})) metadata.set(name, value);
  return metadata;
}

function deadlineOf({ deadlineMs = 20_000 }: CallOptions): CallOptionsOfGrpc {
  return { deadline: Date.now() + deadlineMs };
}

function named(error: ServiceError): Error {
  return new Error(`${status[error.code]}: ${error.details}`, { cause: error });
}
