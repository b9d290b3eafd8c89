/** What a command leaves behind has so long to come to an end by itself (ms): connections that are closed properly take less. */
const graceMs = 1_000;

/**
 * Ends the process where something keeps it that nobody waits for any more. A connection that is not made yet is such: no one can close it from outside of
 * gRPC, and where packets are dropped, or nobody answers to TLS, the system gives it up after two minutes. What was printed is read to its end first.
 */
export function endSoon(): void {
  // Without a reference: of a process that ends by itself it is no part.
  setTimeout(() => {
    if (process.stdout.writableLength + process.stderr.writableLength > 0) endSoon();
    else process.exit();
  }, graceMs).unref();
}
