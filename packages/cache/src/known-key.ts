import { type Digest, formatDigest, parseDigest } from "@cuenv/digest";
import { type Evidence, type InputProblem, keySchema, portableLinkTarget } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import type { ComputedKey, KeyQuestion } from "./compute-key.ts";
import { entriesId, idOf } from "./conclusion-id.ts";
import type { InputOddities } from "./tell-input-problems.ts";

/** With more files a task is looked at in turns, and the numbers of their records are no small text. */
const maxFiles = 16_384;

/** A key of an earlier run, and what was odd about the inputs then, which is told each time. */
export interface KnownKey extends InputOddities {
  readonly digest: Digest;
}

/** The key that the question had when the files were what they are now; undefined: it has to be computed. */
export function knownKey(engine: CacheEngine, question: KeyQuestion): KnownKey | undefined {
  const { conclusions } = engine;
  const answer = conclusions.isEmpty() ? undefined : conclusions.recall(questionId(question));
  return answer === undefined ? undefined : parseAnswer(answer);
}

/** The digest; behind it, where something was odd, that and whether there were files, as JSON. */
function formatAnswer({ digest, selected: { problems, files } }: ComputedKey): string {
  const key = formatDigest(digest);
  return problems.length === 0 ? key : `${key} ${JSON.stringify([files.length > 0, problems])}`;
}

function parseAnswer(answer: string): KnownKey | undefined {
  const space = answer.indexOf(" ");
  const digest = parseDigest(space < 0 ? answer : answer.slice(0, space));
  if (digest === undefined) return undefined;
  if (space < 0) return { digest, hasFiles: true, problems: [] };
  try {
    const [hasFiles, problems] = JSON.parse(answer.slice(space + 1)) as [boolean, InputProblem[]];
    return { digest, hasFiles, problems };
  } catch {
    return undefined; // Not what we wrote, under a checksum that anybody can make (with trust off).
  }
}

/** Has the next run know a key. */
export function keepKey(engine: CacheEngine, question: KeyQuestion, key: ComputedKey): void {
  const { conclusions } = engine;
  if (!conclusions.isKept() || key.selected.files.length > maxFiles) return;
  const evidence = evidenceOf(engine, key);
  if (evidence !== undefined)
    conclusions.conclude(questionId(question), formatAnswer(key), evidence);
}

function evidenceOf(
  { index: { root } }: CacheEngine,
  { selected, inputs }: ComputedKey,
): Evidence | undefined {
  const nodes = inputs.ownNodes();
  if (nodes.length !== selected.files.length) return undefined;
  const { checks } = selected;
  const links = new Map(
    checks.flatMap((check) => (check.kind === "link" ? [[check.path, check.target]] : [])),
  );
  const files: Evidence["files"][number][] = [];
  for (const node of nodes) {
    const { path } = node;
    if (node.kind === "directory") return undefined;
    if (node.kind === "file")
      files.push({ path, hash: node.digest.hash, executable: node.executable });
    // The selection noted the text on the disk. The key has the one that is the same in every checkout.
    else if (portableLinkTarget(root, path, links.get(path) ?? "") !== node.target)
      return undefined;
  }
  return { files, checks };
}

/** By question: a run asks twice. */
const ids = new WeakMap<KeyQuestion, string>();

function questionId(question: KeyQuestion): string {
  let id = ids.get(question);
  if (id === undefined) ids.set(question, (id = computeId(question)));
  return id;
}

function computeId({
  selection,
  dependencies,
  projectDirectory,
  ignorePatterns,
  action,
}: KeyQuestion): string {
  const selects = selection && { ...selection, index: undefined };
  const made = dependencies.map(({ nodes, ...rest }) => [rest, entriesId(nodes)]);
  return idOf(["key", keySchema, selects, made, projectDirectory, ignorePatterns, action]);
}
