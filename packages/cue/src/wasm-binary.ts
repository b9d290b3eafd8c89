/** A section of a WebAssembly module (core specification 5.5): its id, and where it and its content lie in the module. */
export interface WasmSection {
  readonly id: number;
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}

export const sectionIds = { memory: 5, global: 6, export: 7, start: 8, data: 11, dataCount: 12 };

/** Magic and version. */
const headerBytes = 8;

export function sectionsOf(module: Uint8Array): WasmSection[] {
  const sections: WasmSection[] = [];
  for (let at = headerBytes; at < module.length;) {
    const size = readNumber(module, at + 1);
    const end = size.next + size.value;
    sections.push({ id: module[at] as number, start: at, bodyStart: size.next, end });
    at = end;
  }
  return sections;
}

/** An unsigned LEB128 number, and where it ends. */
export function readNumber(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let shift = 0, next = at; ; shift += 7, next += 1) {
    const byte = bytes[next] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: next + 1 };
  }
}
