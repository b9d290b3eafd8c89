import type { Location } from "@cuenv/errors";
import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { pointerTo } from "./json-pointer.ts";

export type YamlDocument =
  | {
      readonly ok: true;
      readonly value: unknown;
      readonly positions: Readonly<Record<string, Location>>;
    }
  | { readonly ok: false; readonly reason: string; readonly location: Location };

/** Aliases that one document may expand to; without a bound, a few lines of YAML fill the memory. */
const maximumAliases = 100;
const maximumDepth = 256;

/** A YAML text with the places of its fields. This module is loaded only when there is a YAML file. */
export function readYaml(text: string, file: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
  });
  const locate = (offset: number): Location => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const [error] = document.errors;
  if (error !== undefined) {
    // The parser's own words are for who calls it.
    const reason = error.code === "MULTIPLE_DOCS" ? "it has a second document" : error.message;
    return { ok: false, reason, location: locate(error.pos[0]) };
  }
  const positions: Record<string, Location> = Object.create(null);

  function walk(node: unknown, pointer: string, depth: number): void {
    if (depth > maximumDepth) return;
    if (isMap(node)) {
      for (const pair of node.items) {
        if (!isPair(pair) || !isScalar(pair.key)) continue;
        const at = pointerTo(pointer, String(pair.key.value));
        if (pair.key.range) positions[at] = locate(pair.key.range[0]);
        walk(pair.value, at, depth + 1);
      }
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) {
        const at = pointerTo(pointer, index);
        if (isScalar(item) && item.range) positions[at] = locate(item.range[0]);
        walk(item, at, depth + 1);
      }
    }
  }

  walk(document.contents, "", 0);
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: maximumAliases }), positions };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { ok: false, reason, location: { file } };
  }
}
