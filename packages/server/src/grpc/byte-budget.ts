import { GrpcError } from "./grpc-status.ts";

/** What all calls together may hold in memory (bytes). */
export interface ByteBudget {
  /** A share of one call, of nothing yet. */
  share(): ByteShare;
}

export interface ByteShare {
  /** The call holds so many now. @throws {GrpcError} UNAVAILABLE, and nothing changed, when all calls together would hold too many */
  set(bytes: number): void;
  /** It holds none any longer, and never will again. */
  end(): void;
}

export function createByteBudget(maxBytes: number): ByteBudget {
  let heldBytes = 0;
  return {
    share() {
      let ownBytes = 0;
      let isEnded = false;
      return {
        set(bytes) {
          if (isEnded) return;
          const more = bytes - ownBytes;
          if (more > 0 && heldBytes + more > maxBytes)
            throw new GrpcError("UNAVAILABLE", "the server has too much to do");
          heldBytes += more;
          ownBytes = bytes;
        },
        end() {
          heldBytes -= ownBytes;
          ownBytes = 0;
          isEnded = true;
        },
      };
    },
  };
}
