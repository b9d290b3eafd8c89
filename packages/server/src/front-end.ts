import type { IncomingMessage, ServerResponse } from "node:http";
import type { Identity } from "./access-policy.ts";
import type { RequestTarget } from "./request-target.ts";

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: RequestTarget;
  /** Undefined: nobody that is known. */
  readonly identity: Identity | undefined;
  /** Whose a token is that does not stand where tokens of requests do. Undefined: nobody's that is known. */
  readonly identify: (token: string) => Promise<Identity | undefined>;
  /** Aborted when the client is gone or the server ends. */
  readonly signal: AbortSignal;
}

/** A route that was found. */
export interface Route {
  /** For metrics and the access log: `artifact`, `status` … */
  readonly name: string;
  handle(exchange: Exchange): Promise<void> | void;
}

/** One protocol: its routes, and how it says that something went wrong. Two front ends never claim one path. */
export interface FrontEnd {
  readonly name: string;
  /** The route for a method and path; undefined when it is not this protocol's. */
  route(method: string, target: RequestTarget): Route | undefined;
  /** As `route`, for a path that cannot be decoded, as it was sent: for clients that must not be told so. */
  routeUnreadable?(method: string, path: string): Route | undefined;
  /** Answers a request that failed for our reasons; only called while no byte was sent. */
  fail(exchange: Exchange, error: unknown): void;
}
