/** The pointer (RFC 6901) of a field or list item below `pointer`. */
export function pointerTo(pointer: string, field: string | number): string {
  return `${pointer}/${String(field).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The pointer one level up; "" stays "". */
export function parentPointer(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf("/")));
}

/** `tasks.build.inputs[0]`, for people. */
export function pointerText(pointer: string): string {
  let text = "";
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (/^\d+$/.test(name)) text += `[${name}]`;
    else if (/^[\w$-]+$/.test(name)) text += text === "" ? name : `.${name}`;
    else text += text === "" ? JSON.stringify(name) : `.${JSON.stringify(name)}`;
  }
  return text;
}
