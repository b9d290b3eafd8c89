/**
 * The module with a ceiling on its memory. Node cannot limit a module's own memory, so its memory section is
 * rewritten: id 5, size, count 1, flags (bit 0: has a maximum), minimum pages, [maximum pages]; numbers are LEB128.
 */
export function withMemoryCeiling(module: Uint8Array, maximumBytes: number): Uint8Array {
  const pages = Math.floor(maximumBytes / 65_536);
  let at = 8; // after magic and version
  while (at < module.length) {
    const start = at;
    const id = module[at];
    const size = readNumber(module, at + 1);
    const end = size.next + size.value;
    if (id === 5) {
      const count = readNumber(module, size.next);
      const minimum = readNumber(module, count.next + 1);
      if (count.value !== 1) throw new Error("the module does not have exactly one memory");
      const maximum = writeNumber(Math.max(pages, minimum.value));
      const body = [...writeNumber(1), 1, ...writeNumber(minimum.value), ...maximum];
      const section = [5, ...writeNumber(body.length), ...body];
      const changed = new Uint8Array(module.length - (end - start) + section.length);
      changed.set(module.subarray(0, start));
      changed.set(section, start);
      changed.set(module.subarray(end), start + section.length);
      return changed;
    }
    at = end;
  }
  throw new Error("the module has no memory section");
}

function readNumber(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let shift = 0, next = at; ; shift += 7, next += 1) {
    const byte = bytes[next] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: next + 1 };
  }
}

function writeNumber(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return bytes;
}
