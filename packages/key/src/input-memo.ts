import {
  checksum,
  type Digest,
  type FileIndex,
  formatDigest,
  parseDigest,
  type Seal,
  sealText,
  unsealText,
} from "@cuenv/digest";
import { hash } from "node:crypto";
import type { InputProblem, Selection, SelectionCheck, SelectionRequest } from "./selection.ts";
import {
  decodeCheck,
  holds,
  holdsWithout,
  type ListingCheck,
  valueOfCheck,
} from "./selection-check.ts";

/**
 * What earlier runs found out about inputs, so that a warm run neither walks, nor matches, nor builds trees. A selection
 * is reused as long as every listing, link, path and `.gitignore` that it came from is what it was; a root, as
 * long as the nodes are equal. Measured for 200 tasks with 28 inputs each: docs/decisions/0050-globs.md.
 */
export interface InputMemo {
  /** The remembered selection of an equal request, if it still holds. */
  reuse(request: SelectionRequest): Selection | undefined;
  remember(request: SelectionRequest, selection: Selection): void;
  /** The root of the tree that `identity`, a hash of nodes, names. */
  root(identity: string): Digest | undefined;
  rememberRoot(identity: string, root: Digest): void;
  /** The text to keep for the next run; undefined when too little was remembered since it was loaded, or there is no seal for it. */
  serialize(): string | undefined;
}

interface StoredSelection {
  readonly facts: readonly number[];
  readonly files: string;
  readonly problems: readonly InputProblem[];
}

interface StoredMemo {
  readonly version: number;
  readonly build: string;
  /** Each check once: its kind, path and value. */
  readonly facts: readonly string[];
  /** By id of the request, the least recently remembered first. */
  readonly selections: Readonly<Record<string, StoredSelection>>;
  /** Digests as text, by identity of the nodes, the least recently made first. */
  readonly roots: Readonly<Record<string, string>>;
}

/** Raise it when {@link selectInputs} would select something else from the same files. */
const memoVersion = 4;
/** More are forgotten, the oldest first: about 20 MB of text. */
const maxSelections = 10_000;
/** Roots of trees that are not there any more are kept up to this number: somebody may switch branches back. */
const maxRoots = 20_000;
/** Of so many known roots one more is not worth the writing of all: it costs the next run less than a millisecond. */
const rootsPerUnsaved = 64;

/**
 * @param read what `serialize` gave in an earlier run, for the same workspace; anything else is an empty memo. Asked for once, by the first question
 * @param seal asked when the text is read and when it is made; without one, neither is done
 * @param build names the code that selects: what another one selected may be something else
 */
export function createInputMemo(
  read: () => string | undefined = () => undefined,
  seal: () => Seal | undefined = () => checksum,
  build = "",
): InputMemo {
  let parsed: { readonly memo: StoredMemo | undefined } | undefined;
  const stored = (): StoredMemo | undefined => {
    if (parsed === undefined) {
      const text = read();
      parsed = { memo: text === undefined ? undefined : parseMemo(text, seal(), build) };
    }
    return parsed.memo;
  };
  const selections = new Map<string, Selection>();
  const roots = new Map<string, Digest>();
  const lookUp = (id: string): Selection | undefined => {
    const remembered = selections.get(id);
    const memo = remembered === undefined ? stored() : undefined;
    const selection = memo?.selections[id];
    return selection === undefined ? remembered : decodeSelection(selection, memo?.facts ?? []);
  };
  return {
    reuse: (request) => {
      const id = requestId(request);
      const selection = lookUp(id);
      if (selection === undefined) return undefined;
      const stale = staleListings(request.index, selection);
      if (stale === undefined || stale.length === 0) return stale && selection;
      const settled = settle(request.index, selection, stale);
      if (settled !== selection) selections.set(id, settled);
      return settled;
    },
    remember: (request, selection) => void selections.set(requestId(request), selection),
    root: (identity) => roots.get(identity) ?? parseDigest(stored()?.roots[identity] ?? ""),
    rememberRoot: (identity, root) => void roots.set(identity, root),
    serialize: () =>
      selections.size === 0 && (roots.size === 0 || !isWorthWriting(roots.size, stored()))
        ? undefined
        : sealText(formatMemo(build, stored(), selections, roots), seal()),
  };
}

function isWorthWriting(newRoots: number, stored: StoredMemo | undefined): boolean {
  if (stored === undefined) return true;
  return newRoots > Object.keys(stored.roots).length / rootsPerUnsaved;
}

function requestId(request: SelectionRequest): string {
  const {
    projectDirectory,
    patterns,
    extraPatterns,
    ignorePatterns,
    excludeOutputs,
    excludePaths,
  } = request;
  const outputs = excludeOutputs?.map((each) => [each.projectDirectory, each.patterns]);
  const text = JSON.stringify([
    projectDirectory,
    patterns ?? null,
    extraPatterns ?? [],
    ignorePatterns ?? [],
    outputs ?? [],
    excludePaths ?? [],
  ]);
  return hash("sha256", text, "base64url");
}

/** Listings that hold but for outputs; undefined: something else does not hold, or cannot be looked at, of which who selects anew says what is wrong. */
function staleListings(index: FileIndex, { checks }: Selection): ListingCheck[] | undefined {
  const stale: ListingCheck[] = [];
  try {
    for (const check of checks) {
      if (holds(index, check)) continue;
      if (check.kind !== "listing" || !holdsWithout(index, check)) return undefined;
      stale.push(check);
    }
    return stale;
  } catch {
    return undefined;
  }
}

/**
 * Where outputs have come since a listing was remembered it is remembered with them, so that the next run compares one hash again. Where they went
 * they come back.
 */
function settle(index: FileIndex, selection: Selection, stale: readonly ListingCheck[]): Selection {
  const came = stale.filter(({ path, rest }) =>
    index.list(path).some(({ name }) => rest?.without.includes(name)),
  );
  if (came.length === 0) return selection;
  const checks = selection.checks.map((check) =>
    check.kind === "listing" && came.includes(check)
      ? { ...check, hash: index.listHash(check.path) }
      : check,
  );
  return { ...selection, checks };
}

/** Anything that is not exactly what we wrote is an empty memo. */
function parseMemo(text: string, seal: Seal | undefined, build: string): StoredMemo | undefined {
  try {
    const body = unsealText(text, seal);
    if (body === undefined) return undefined;
    const memo = JSON.parse(body) as StoredMemo;
    return memo.version === memoVersion && memo.build === build ? memo : undefined;
  } catch {
    return undefined;
  }
}

function decodeSelection(stored: StoredSelection, facts: readonly string[]): Selection | undefined {
  const checks: SelectionCheck[] = [];
  for (const fact of stored.facts) {
    const check = decodeCheck(facts[fact], facts[fact + 1], facts[fact + 2]);
    if (check === undefined) return undefined;
    checks.push(check);
  }
  return { files: decodeFiles(stored.files), problems: stored.problems, checks };
}

/**
 * Paths by folder: `folder//name/name///folder//name`. No path has an empty segment, so the runs of slashes
 * cannot be mistaken, and nothing needs an escape.
 */
function encodeFiles(files: readonly string[]): string {
  let text = "";
  let current: string | undefined;
  for (const file of files) {
    const end = file.lastIndexOf("/");
    const folder = file.slice(0, Math.max(end, 0));
    if (folder !== current) text += `${current === undefined ? "" : "///"}${folder}/`;
    text += `/${file.slice(end + 1)}`;
    current = folder;
  }
  return text;
}

function decodeFiles(text: string): string[] {
  const files: string[] = [];
  if (text === "") return files;
  for (const group of text.split("///")) {
    const end = group.indexOf("//");
    const prefix = end === 0 ? "" : `${group.slice(0, end)}/`;
    for (const name of group.slice(end + 2).split("/")) files.push(prefix + name);
  }
  return files;
}

function formatMemo(
  build: string,
  stored: StoredMemo | undefined,
  fresh: ReadonlyMap<string, Selection>,
  roots: ReadonlyMap<string, Digest>,
): string {
  const facts: string[] = [];
  const places = new Map<string, number>();
  const place = (kind: string, path: string, value: string): number => {
    const key = `${kind}\0${value}\0${path}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    const at = facts.push(kind, path, value) - 3;
    places.set(key, at);
    return at;
  };
  const selections: [string, StoredSelection][] = [];
  for (const [id, selection] of Object.entries(stored?.selections ?? {})) {
    const old = stored?.facts ?? [];
    if (fresh.has(id)) continue;
    const moved = selection.facts.map((at) =>
      place(old[at] ?? "", old[at + 1] ?? "", old[at + 2] ?? ""),
    );
    selections.push([id, { ...selection, facts: moved }]);
  }
  for (const [id, { checks, files, problems }] of fresh) {
    const numbers = checks.map((check) => place(check.kind, check.path, valueOfCheck(check)));
    selections.push([id, { facts: numbers, files: encodeFiles(files), problems }]);
  }
  const allRoots = { ...stored?.roots };
  for (const [identity, root] of roots) allRoots[identity] = formatDigest(root);
  return JSON.stringify({
    version: memoVersion,
    build,
    facts,
    selections: Object.fromEntries(selections.slice(-maxSelections)),
    roots: Object.fromEntries(Object.entries(allRoots).slice(-maxRoots)),
  } satisfies StoredMemo);
}
