import { CuenvError } from "@cuenv/errors";
import { readFileSync, statSync } from "node:fs";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [field: string]: Json;
}

/** Manifests are smaller; a file that is not one is not read into memory. */
const maxCharacters = 16 * 1024 * 1024;

/**
 * A JSON file that may have comments and commas at the end of lists, as turbo.json and nx.json may; undefined when it is not there.
 * @throws {CuenvError} CONFIG_FILE
 */
export function readJsonObject(path: string): JsonObject | undefined {
  let text: string;
  try {
    // Reading a FIFO would wait for a writer.
    if (!statSync(path).isFile()) throw wrongFile(path, "it is not a regular file");
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof CuenvError) throw error;
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw wrongFile(path, String(code ?? error));
  }
  if (text.length > maxCharacters) throw wrongFile(path, "it is too large");
  let value: Json;
  try {
    value = JSON.parse(withoutComments(text.replace(/^\uFEFF/, ""))) as Json;
  } catch (error) {
    throw wrongFile(path, error instanceof Error ? error.message : String(error));
  }
  if (!isObject(value)) throw wrongFile(path, "it is no JSON object");
  return value;
}

function wrongFile(path: string, reason: string): CuenvError {
  return new CuenvError("CONFIG_FILE", `cannot read ${path}: ${reason}`, {
    location: { file: path },
  });
}

/** Each comment, and each comma before a bracket, becomes spaces: places in the text stay. */
export function withoutComments(text: string): string {
  const tokens = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  const bare = text.replaceAll(tokens, (token) =>
    token.startsWith('"') ? token : token.replaceAll(/[^\n]/g, " "),
  );
  return bare.replaceAll(/"(?:[^"\\]|\\.)*"|,(?=\s*[\]}])/g, (token) =>
    token.startsWith('"') ? token : " ",
  );
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own field, never the prototype's. */
export function fieldOf(object: JsonObject | undefined, name: string): Json | undefined {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
}

export function objectOf(object: JsonObject | undefined, name: string): JsonObject {
  const value = fieldOf(object, name);
  return isObject(value) ? value : {};
}

export function textOf(object: JsonObject | undefined, name: string): string | undefined {
  const value = fieldOf(object, name);
  return typeof value === "string" ? value : undefined;
}

/** Its strings; undefined when it is no list. */
export function textsOf(
  object: JsonObject | undefined,
  name: string,
): readonly string[] | undefined {
  const value = fieldOf(object, name);
  if (!Array.isArray(value)) return undefined;
  return value.filter((each): each is string => typeof each === "string");
}
