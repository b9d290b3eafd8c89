import type { Tree } from "../nx-api.ts";
import { isPlainJson, withoutComments } from "../json-comments.ts";
import { isObject, type JsonObject } from "../json-object.ts";

/** A file that may have comments, as those of Nx may. Undefined when it is not there. @throws {Error} when it is no JSON object */
export function readJson(tree: Tree, path: string): JsonObject | undefined {
  const text = tree.read(path, "utf-8");
  if (text === null) return undefined;
  const value = parsed(path, text);
  if (isObject(value)) return value;
  throw new Error(`cannot read ${path}: it is no object`);
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(withoutComments(text));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot read ${path}: ${reason}`, { cause });
  }
}

/** Comments of the file are lost; whether there were any. */
export function writeJson(tree: Tree, path: string, value: JsonObject): boolean {
  const before = tree.read(path, "utf-8");
  tree.write(path, `${JSON.stringify(value, undefined, 2)}\n`);
  return before !== null && !isPlainJson(before);
}

export function objectOf(value: JsonObject | undefined, field: string): JsonObject {
  const found = value?.[field];
  return isObject(found) ? found : {};
}
