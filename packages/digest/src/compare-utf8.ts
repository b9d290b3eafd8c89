/**
 * Orders strings by their UTF-8 bytes, which is the order of every list in a key or an entry. JavaScript's own
 * order is by UTF-16 unit and differs where a surrogate (a character beyond U+FFFF) meets a unit above U+DFFF.
 */
export function compareUtf8(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return afterSurrogates(a) - afterSurrogates(b);
  }
  return left.length - right.length;
}

function afterSurrogates(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
