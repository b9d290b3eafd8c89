import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { type TarEntry, TarError, tarEntries } from "./tar-entries.ts";

/** What an archive may unpack to: beyond it, it is a bomb. */
const maxUnpackedBytes = 16 * 1024 ** 3;
const maxEntries = 2_000_000;

/**
 * Why an archive must not be stored; undefined when it may. Nx' client unpacks whatever it gets and fails the build over what it cannot read; and a
 * damaged result cannot be replaced, since a key is written once. So each is read to its end before it is published (reference/nx.md 1.3, 1.4).
 */
export async function nxArchiveProblem(
  archive: AsyncIterable<Uint8Array>,
): Promise<string | undefined> {
  const gunzip = createGunzip();
  const source = Readable.from(archive);
  source.on("error", (error) => gunzip.destroy(error));
  const seen = { code: 0, terminalOutput: 0, entries: 0, bytes: 0 };
  try {
    for await (const entry of tarEntries(source.pipe(gunzip) as AsyncIterable<Uint8Array>)) {
      seen.entries += 1;
      seen.bytes += entry.sizeBytes;
      if (seen.entries > maxEntries || seen.bytes > maxUnpackedBytes)
        return "it unpacks to too much";
      const problem = entryProblem(entry, seen);
      if (problem !== undefined) return `${JSON.stringify(entry.path.slice(0, 200))}: ${problem}`;
    }
    // The end of the archive is reached, the sum of the compression is behind it.
    for await (const _rest of gunzip) continue;
  } catch (error) {
    if (error instanceof TarError) return error.message;
    if (isCompressionError(error)) return "it is not gzip, or cut";
    throw error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
  return seen.code === 1 ? undefined : "it has no exit code";
}

function entryProblem(
  { path, type, target, content }: TarEntry,
  seen: { code: number; terminalOutput: number },
): string | undefined {
  const name = path.replace(/\/$/, "");
  if (name === "code") {
    seen.code += 1;
    return seen.code === 1 && type === "0" && content?.length === 4
      ? undefined
      : "it is no exit code";
  }
  if (name === "terminalOutput") {
    seen.terminalOutput += 1;
    return seen.terminalOutput === 1 && type === "0" ? undefined : "it is there twice, or no file";
  }
  if (!isInside(name)) return "it leads out of the workspace";
  switch (type) {
    case "0":
    case "5":
      return undefined;
    case "2":
      return isInside(target, name) ? undefined : "it links out of the workspace";
    default:
      return "it is no file, folder or link";
  }
}

/** Whether a path, relative to the folder of `from`, stays below the workspace's root on its whole way. */
function isInside(path: string, from = ""): boolean {
  if (path === "" || path.startsWith("/") || /^[A-Za-z]:|\\|\0/.test(path)) return false;
  let depth = from.split("/").length - 1;
  for (const segment of path.split("/")) {
    if (segment === "..") depth -= 1;
    else if (segment !== "" && segment !== ".") depth += 1;
    if (depth < 0) return false;
  }
  return from !== "" || !path.split("/").includes("..");
}

function isCompressionError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code.startsWith("Z_") || code === "ERR_STREAM_PREMATURE_CLOSE";
}
