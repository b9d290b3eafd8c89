import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How the connections of a server come to their end when it is told to end. */
export interface ConnectionDrain {
  /** To be told of each request, before it is answered. */
  note(request: IncomingMessage, response: ServerResponse): void;
  /** Ends those on which nothing is asked; each of the others with the last answer that is still to be sent on it. */
  begin(): void;
  /** Ends them all at once. */
  finish(): void;
}

/**
 * What Node does by itself when a server is closed would not do. An answer that was handed to the socket counts as sent, so its connection is cut while the client
 * still reads. A connection in use stays for as long as its client asks. And one that is to speak TLS, and does not speak, is none that Node would ever end.
 */
export function createConnectionDrain(server: Server, isTls: boolean): ConnectionDrain {
  /** Down to those that have not said a word. */
  const all = new Set<Socket>();
  /** Those that speak HTTP, each with the answers that are not out yet. */
  const speaking = new Map<Socket, Set<ServerResponse>>();
  let isEnding = false;
  server.on("connection", (socket: Socket) => {
    all.add(socket);
    socket.once("close", () => all.delete(socket));
  });
  server.on(isTls ? "secureConnection" : "connection", (socket: Socket) => {
    speaking.set(socket, new Set());
    socket.once("close", () => speaking.delete(socket));
  });
  // Called by `close`.
  server.closeIdleConnections = () => undefined;
  return {
    note(request, response) {
      const { socket } = request;
      const answers = speaking.get(socket);
      answers?.add(response);
      if (isEnding) response.shouldKeepAlive = false;
      response.once("close", () => {
        answers?.delete(response);
        if (!isEnding || answers?.size !== 0) return;
        // Who still sends would not get to read the answer.
        if (request.complete || request.destroyed) socket.destroySoon();
        else request.once("end", () => socket.destroySoon());
      });
    },
    begin() {
      isEnding = true;
      for (const [socket, answers] of speaking) {
        if (answers.size === 0) socket.destroy();
        for (const answer of answers) if (!answer.headersSent) answer.shouldKeepAlive = false;
      }
    },
    finish() {
      for (const socket of [...speaking.keys(), ...all]) socket.destroy();
    },
  };
}
