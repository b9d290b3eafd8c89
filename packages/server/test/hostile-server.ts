// A server in a process of its own, for calls that may end it or fill its memory: started with fork(), told with messages what to do.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { GrpcMethod, GrpcMethods } from "../src/grpc/grpc-method.ts";
import { startGrpcServer } from "./running-grpc-server.ts";
import { readerToken } from "./hostile-calls.ts";
import { grant, token } from "./running-server.ts";

/** What the server says of itself when it is asked. */
export interface HostileServerState {
  readonly rssBytes: number;
  /** The most that there ever was. */
  readonly peakRssBytes: number;
  /** Calls that came to a handler. */
  readonly handled: number;
  /** Calls whose handlers run. */
  readonly running: number;
  readonly troubles: readonly string[];
  /** Files of the store that are not published. */
  readonly temporaryFiles: number;
}

const maxBlobBytes = 8_000_000;
let handled = 0;
let running = 0;

const counted = async <Value>(step: () => Promise<Value>): Promise<Value> => {
  handled += 1;
  running += 1;
  try {
    return await step();
  } finally {
    running -= 1;
  }
};

function counting(method: GrpcMethod): GrpcMethod {
  switch (method.kind) {
    case "unary":
      return {
        ...method,
        kind: "unary",
        handle: (request, call) => counted(() => method.handle(request, call)),
      };
    case "clientStreaming":
      return {
        ...method,
        kind: "clientStreaming",
        handle: (requests, call) => counted(() => method.handle(requests, call)),
      };
    case "serverStreaming":
      return {
        ...method,
        kind: "serverStreaming",
        handle: async function* (request, call) {
          handled += 1;
          running += 1;
          try {
            yield* method.handle(request, call);
          } finally {
            running -= 1;
          }
        },
      };
  }
}

const server = await startGrpcServer({
  maxBlobBytes,
  access: {
    grants: [
      grant(token, { namespaces: "*" }),
      grant(readerToken, { scopes: ["read"], namespaces: ["other"], readsThrough: ["main"] }),
    ],
  },
  wrapMethods: (methods: GrpcMethods) =>
    new Map([...methods].map(([path, method]) => [path, counting(method)])),
});

process.on("message", (asked) => {
  if (asked === "stop") void server.stop().then(() => process.exit(0));
  else process.send?.(stateOf());
});
process.on("disconnect", () => process.exit(1));
process.send?.({ port: server.port });

function stateOf(): HostileServerState {
  const temporary = join(server.root, "v1", "tmp");
  server.calls.length = 0;
  return {
    rssBytes: process.memoryUsage.rss(),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    handled,
    running,
    troubles: server.troubles,
    temporaryFiles: readdirSync(temporary, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile(),
    ).length,
  };
}
