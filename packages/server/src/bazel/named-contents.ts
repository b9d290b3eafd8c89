import { isHash } from "@cuenv/digest";
import { ActionResultSchema, decodeMessage, type Digest, TreeSchema } from "@cuenv/reapi/messages";

/** A digest as a message has it, of whichever function its client uses. */
export interface ContentDigest {
  readonly hash: string;
  readonly sizeBytes: number;
}

/**
 * What a result names: contents that its client fetches, and Trees, which name more. An output directory is its Tree, or, of clients that send none, its root
 * Directory; whatever that one names is not looked at. Undefined: the bytes are no ActionResult, or name what is no digest.
 */
export function readActionResult(
  bytes: Uint8Array | undefined,
):
  | { readonly contents: readonly ContentDigest[]; readonly trees: readonly ContentDigest[] }
  | undefined {
  // Every message is empty then, and none that was meant: exit code 0 without any output or time.
  if (bytes === undefined || bytes.length === 0) return undefined;
  return readDigests(() => {
    const result = decodeMessage(ActionResultSchema, bytes);
    const files = result.outputFiles.map(({ digest }) => digest);
    const roots = result.outputDirectories.map(({ treeDigest, rootDirectoryDigest }) =>
      treeDigest === undefined ? rootDirectoryDigest : undefined,
    );
    const trees = result.outputDirectories.map(({ treeDigest }) => treeDigest);
    return {
      contents: checked([...files, ...roots, result.stdoutDigest, result.stderrDigest]),
      trees: checked(trees),
    };
  });
}

/** The files of a Tree message; undefined when the bytes are none. */
export function readTree(bytes: Uint8Array | undefined): readonly ContentDigest[] | undefined {
  if (bytes === undefined) return undefined;
  return readDigests(() => {
    const { root, children } = decodeMessage(TreeSchema, bytes);
    const directories = root === undefined ? children : [root, ...children];
    return checked(directories.flatMap(({ files }) => files.map(({ digest }) => digest)));
  });
}

/** Undefined for bytes that are no message: a decoder of hostile bytes throws this and that. */
function readDigests<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function checked(digests: readonly (Digest | undefined)[]): readonly ContentDigest[] {
  return digests.flatMap((digest) => {
    if (digest === undefined) return [];
    const sizeBytes = Number(digest.sizeBytes);
    if (!isHash(digest.hash) || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
      throw new RangeError(`malformed digest ${digest.hash}`);
    return [{ hash: digest.hash, sizeBytes }];
  });
}
