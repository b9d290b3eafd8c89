import { CuenvError } from "@cuenv/errors";
import type { Exchange } from "../front-end.ts";

/** How often it is looked whether something happened: so exact is the deadline. */
const looks = 10;

/**
 * Handles an exchange whose answer must have begun `ms` after the last byte of its request came. Then its signal is aborted, and it fails, whether the store
 * listens to the signal or not: what comes later of it is nobody's.
 * @throws {CuenvError} SERVER_DEADLINE, and what `handle` throws
 */
export async function within(
  exchange: Exchange,
  ms: number,
  handle: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  const { request, response } = exchange;
  const late = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  let received = request.socket.bytesRead;
  let quiet = 0;
  const timer = setInterval(() => {
    quiet = request.socket.bytesRead > received ? 0 : quiet + 1;
    received = request.socket.bytesRead;
    // What is being sent comes to its end, or to the connection's own limits.
    if (quiet < looks || response.headersSent) return;
    const error = new CuenvError(
      "SERVER_DEADLINE",
      `cannot answer ${request.method ?? ""} ${request.url ?? ""}: the store did not within ${ms} ms`,
    );
    reject(error);
    late.abort(error);
  }, ms / looks);
  const signal = AbortSignal.any([exchange.signal, late.signal]);
  try {
    await Promise.race([handle({ ...exchange, signal }), promise]);
  } finally {
    clearInterval(timer);
  }
}
