/** The pointer (RFC 6901) of a field or list item below `pointer`. */
export function pointerTo(pointer: string, field: string | number): string {
  return `${pointer}/${String(field).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The pointer one level up; "" stays "". */
export function parentPointer(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf("/")));
}

/** As CUE writes a path: `/tasks/test:unit/inputs/0` is `tasks."test:unit".inputs.0`. */
export function fieldOfPointer(pointer: string): string {
  return pointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((name) => (/^[\w$-]+$/.test(name) ? name : JSON.stringify(name)))
    .join(".");
}
