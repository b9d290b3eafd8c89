/** The pointer (RFC 6901) of a field or list item below `pointer`. */
export function pointerTo(pointer: string, field: string | number): string {
  return `${pointer}/${String(field).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The pointer one level up; "" stays "". */
export function parentPointer(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf("/")));
}
