import type { DigestFunction } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";

/*
 * The cache folder. Everything below `v1` can be deleted at any moment, by anyone, without harm; a format that
 * changes gets a new `v<n>` and leaves this one alone. docs/cache-format.md says the same for readers.
 *
 *     <root>/
 *       CACHEDIR.TAG                           backup programs pass over the folder
 *       README
 *       v1/
 *         cas/<function>/<2 hex>/<hash>        one blob, raw bytes; the name is their hash
 *         ac/<function>/<namespace>/<2 hex>/<hash>
 *                                              one entry, by the hash of its Action
 *         members/<function>/<namespace>/<2 hex>/<hash>
 *                                              an empty file: the namespace has the blob (blob-members.ts)
 *         tmp/<process>/<n>                    what is being written; renamed to its place when it is whole
 *         quarantine/<time>-<name>             what was found damaged, a bounded number
 *         journal                              uses and additions since the index was written, one line each
 *         index                                when and how often each entry was used; can be rebuilt
 *         sweep.lock                           somebody is evicting
 */

export const formatFolder = "v1";

/**
 * At a workspace's root, where the cache folder is on another file system: what a restore stages. A killed process may leave one
 * behind; the next restore there removes it. Nobody's input, and nobody's output.
 */
export const stagingPrefix = ".cuenv-staging-";

/** The name of an entry in the journal and the index: `<function>/<namespace>/<hash>`. */
export type EntryId = string;

export function entryId(digestFunction: DigestFunction, namespace: string, hash: string): EntryId {
  return `${digestFunction}/${namespace}/${hash}`;
}

export interface DiskLayout {
  readonly base: string;
  readonly blobs: string;
  readonly entries: string;
  readonly members: string;
  readonly temporary: string;
  readonly quarantine: string;
  readonly journal: string;
  readonly index: string;
  readonly sweepLock: string;
}

export function diskLayout(root: string): DiskLayout {
  const base = `${root}/${formatFolder}`;
  return {
    base,
    blobs: `${base}/cas`,
    entries: `${base}/ac`,
    members: `${base}/members`,
    temporary: `${base}/tmp`,
    quarantine: `${base}/quarantine`,
    journal: `${base}/journal`,
    index: `${base}/index`,
    sweepLock: `${base}/sweep.lock`,
  };
}

export function blobPath(root: string, digestFunction: DigestFunction, hash: string): string {
  return `${root}/${formatFolder}/cas/${digestFunction}/${hash.slice(0, 2)}/${hash}`;
}

export function entryPath(
  root: string,
  digestFunction: DigestFunction,
  namespace: string,
  hash: string,
): string {
  return `${root}/${formatFolder}/ac/${digestFunction}/${namespace}/${hash.slice(0, 2)}/${hash}`;
}

export function memberPath(
  root: string,
  digestFunction: DigestFunction,
  namespace: string,
  hash: string,
): string {
  return `${root}/${formatFolder}/members/${digestFunction}/${namespace}/${hash.slice(0, 2)}/${hash}`;
}

const namespacePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Whether `namespace` can be the name of a folder everywhere. */
export function isNamespace(namespace: string): boolean {
  return namespacePattern.test(namespace);
}

/** @throws {CuenvError} AC_NAMESPACE_INVALID */
export function assertNamespace(namespace: string): void {
  if (isNamespace(namespace)) return;
  throw new CuenvError(
    "AC_NAMESPACE_INVALID",
    `cannot use namespace ${JSON.stringify(namespace)}: not letters, digits, \`.\`, \`_\` and \`-\``,
  );
}

/** First line as in the Cache Directory Tagging Specification. */
export const cachedirTag = `Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache of cuenv. Backup programs may pass over it.
`;

export const readme = `This folder is the build cache of cuenv. It holds outputs of tasks by the hash of their content (v1/cas)
and which task gave them (v1/ac). Everything in it can be deleted at any moment: what is missing is built again.

  cuenv cache stats     what it holds
  cuenv cache verify    whether it is sound
  cuenv cache clear     empty it
`;
