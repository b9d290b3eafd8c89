import type { IncomingHttpHeaders } from "node:http2";

/** What a handler knows of a call, besides its messages. */
export interface GrpcCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client is gone, its deadline is over, or the server ends. */
  readonly signal: AbortSignal;
  /** Address of the client, for people. */
  readonly peer: string;
  /** Common name of the certificate that the client showed and that was verified; undefined: none was asked for. */
  readonly certificateName: string | undefined;
  /** To be told who it is, once that is known: for the access log. */
  readonly identified: (name: string) => void;
}

/** One encoded message, in pieces: so that a large blob is not copied behind its tag. */
export type MessageParts = readonly Uint8Array[];

/** A message of a stream. */
export interface StreamedMessage {
  readonly parts: MessageParts;
  /** Told when the bytes are out and may be overwritten; not where the call ends before. */
  readonly onSent?: () => void;
}

/**
 * One method of a service. Messages are their bytes: a handler decodes what it needs. It fails with a GrpcError; whatever else it throws is
 * INTERNAL to the client, and told to whoever runs the server.
 */
export type GrpcMethod = GrpcMethodBounds & GrpcMethodHandler;

export interface GrpcMethodBounds {
  /** Who may not call it at all is told so before a byte of the message is read: it rejects with a GrpcError. */
  readonly admit?: ((call: GrpcCall) => Promise<unknown>) | undefined;
  /** Its messages are no longer, where that is less than the server takes of others. */
  readonly maxMessageBytes?: number | undefined;
}

export type GrpcMethodHandler =
  | {
      readonly kind: "unary";
      handle(request: Buffer, call: GrpcCall): Promise<MessageParts>;
    }
  | {
      readonly kind: "serverStreaming";
      handle(request: Buffer, call: GrpcCall): AsyncIterable<StreamedMessage>;
    }
  | {
      readonly kind: "clientStreaming";
      /** Returning before the end of `requests` ends the call; what else the client sends is not read. */
      handle(requests: AsyncIterable<Buffer>, call: GrpcCall): Promise<MessageParts>;
    };

/** By path, `/package.Service/Method`. */
export type GrpcMethods = ReadonlyMap<string, GrpcMethod>;
