/** Pieces of so many bytes stay as they are: what is around each is nothing beside it. */
const wholePieceBytes = 16 * 1024;

/**
 * Adds what came to the pieces of a message that is not complete. However small the pieces come, few are held: a client may send single bytes, and each view costs
 * some 125 bytes (measured). So each piece is at most half of the one before it, or whole; a byte is copied a dozen times at the most.
 */
export function addPiece(pieces: Buffer[], piece: Buffer): void {
  let last = isSparse(piece) ? joined([piece]) : piece;
  for (
    let before = pieces.at(-1);
    before !== undefined && before.length < Math.min(wholePieceBytes, 2 * last.length);
    before = pieces.at(-1)
  ) {
    pieces.pop();
    last = joined([before, last]);
  }
  pieces.push(last);
}

/** A view keeps all of what was read from the socket at once (64 KiB), also what was of other streams. */
function isSparse({ length, buffer }: Buffer): boolean {
  return length < buffer.byteLength / 4;
}

/** In memory of its own: a share of Node's pool would keep the whole of that. */
function joined(pieces: readonly Buffer[]): Buffer {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const whole = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const piece of pieces) at += piece.copy(whole, at);
  return whole;
}
