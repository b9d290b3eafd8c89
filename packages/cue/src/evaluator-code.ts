import { readFile } from "node:fs";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";

/** In one piece, which the module fits into: Node would join thousands of small ones, which takes twice the time. */
const pieceBytes = 44 * 1024 * 1024;

/**
 * The evaluator's module, decompressed by another thread (45 ms). Its bytes own their buffer, so that it can be given away.
 * @throws {Error} when the artifact cannot be read, or is damaged
 */
export async function loadEvaluatorCode(artifact: string): Promise<Uint8Array<ArrayBuffer>> {
  const compressed = await promisify(readFile)(artifact);
  const code = await promisify(zstdDecompress)(compressed, { chunkSize: pieceBytes });
  return code.buffer instanceof ArrayBuffer && code.byteOffset === 0
    ? new Uint8Array(code.buffer, 0, code.length)
    : Uint8Array.from(code);
}
