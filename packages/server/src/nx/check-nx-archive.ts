import { type ArchiveNames, createArchiveNames } from "./archive-names.ts";
import { gunzipOnce } from "./gunzip-once.ts";
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
  const unpacked = gunzipOnce(archive);
  const seen: Seen = { code: 0, terminalOutput: 0, names: createArchiveNames() };
  const text = new TextDecoder("utf-8", { fatal: true });
  const isPrinted = (path: string): boolean => plainPath(path) === "terminalOutput";
  const read = (bytes?: Uint8Array): void =>
    void text.decode(bytes, { stream: bytes !== undefined });
  let entries = 0;
  let sizeBytes = 0;
  try {
    for await (const entry of tarEntries(unpacked, (path) =>
      isPrinted(path) ? read : undefined,
    )) {
      entries += 1;
      sizeBytes += entry.sizeBytes;
      if (entries > maxEntries || sizeBytes > maxUnpackedBytes) return "it unpacks to too much";
      const problem = entryProblem(entry, seen);
      if (problem !== undefined) return `${JSON.stringify(entry.path.slice(0, 200))}: ${problem}`;
    }
    // The end of the archive is reached, the sum of the compression is behind it.
    for await (const _rest of unpacked) continue;
    read();
  } catch (error) {
    if (error instanceof TarError) return error.message;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return "what was printed is no UTF-8";
    if (code.startsWith("Z_") || code === "ERR_STREAM_PREMATURE_CLOSE")
      return "it is not gzip, or cut";
    throw error;
  } finally {
    await unpacked.return(undefined);
  }
  return seen.code === 1 ? undefined : "it has no exit code";
}

interface Seen {
  code: number;
  terminalOutput: number;
  readonly names: ArchiveNames;
}

/** As programs that unpack take it: `./a//b/` is `a/b`. */
function plainPath(path: string): string {
  return path
    .split("/")
    .filter((segment, index) => segment !== "." && (segment !== "" || index === 0))
    .join("/");
}

function entryProblem({ path, type, target, content }: TarEntry, seen: Seen): string | undefined {
  const name = plainPath(path);
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
  if (name === "" && type === "5" && path.startsWith(".")) return undefined;
  if (!isInside(name)) return "it leads out of the workspace";
  if (!["0", "2", "5"].includes(type)) return "it is no file, folder or link";
  if (type === "2" && !isInside(target, name)) return "it links out of the workspace";
  return seen.names.problem(name, type === "5");
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
