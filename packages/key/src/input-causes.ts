import type { Digest } from "@cuenv/digest";
import {
  type Cause,
  causeOf,
  type ChangedComponent,
  compare,
  group,
  shorten,
  shortenPath,
  shortNames,
} from "./cause.ts";
import type { DeclaredInputs, InputNode, KeyInputs } from "./key-inputs.ts";
import { shortPair } from "./short-pair.ts";

export interface ExplainOptions {
  /** Whether there is a file, relative to the workspace root, now: one that is no input any more did not have to go. */
  readonly exists?: (path: string) => boolean;
  /** Names of dependencies of which nobody knows what they would make now: they are left out of the comparison. */
  readonly without?: ReadonlySet<string>;
}

function contentOf(node: InputNode): string {
  if (node.kind === "file") return `${describe(node.digest)}${node.executable ? executable : ""}`;
  return node.kind === "symlink" ? `${linkTo}${node.target}` : "folder";
}

const executable = " executable";
const linkTo = "link to ";

function describe(digest: Digest): string {
  return `${digest.hash.slice(0, 16)} (${digest.sizeBytes} bytes)`;
}

/**
 * Files that came and went because other ones are declared: that is what somebody did. What was declared otherwise and finds the same files
 * changes no key, and is not told.
 */
export function declarationCause(previous: KeyInputs, current: KeyInputs): Cause | undefined {
  const [was, is] = [previous.declaredInputs, current.declaredInputs];
  if (was === undefined || is === undefined) return undefined;
  const [before, after] = [patternsOf(was), patternsOf(is)];
  const removed = before.filter((pattern) => !after.includes(pattern));
  const added = after.filter((pattern) => !before.includes(pattern));
  const paths = ({ inputs, producers }: KeyInputs): string =>
    inputs.flatMap(({ path }) => (Object.hasOwn(producers, path) ? [] : [path])).join("\0");
  if (before.join() === after.join() || paths(previous) === paths(current)) return undefined;
  const [gone, come] = [removed.join(", "), added.join(", ")];
  const what =
    gone === "" || come === ""
      ? `${shorten(gone || come || "their order")} ${gone === "" ? (come === "" ? "changed" : "added") : "removed"}`
      : shortPair(gone, come);
  const values = { before: before.join(", "), after: after.join(", ") };
  return causeOf("inputs", { name: "inputs", ...values, text: `declared inputs changed: ${what}` });
}

function patternsOf({ inputs, extraInputs, ignoreInputs }: DeclaredInputs): readonly string[] {
  return [
    ...(inputs ?? ["all files"]),
    ...extraInputs.map((pattern) => `extra ${pattern}`),
    ...ignoreInputs.map((pattern) => `ignore ${pattern}`),
  ];
}

/** Files of the task's own, or outputs of its dependencies. A path that changed sides counts where it is now. */
export function inputCause(
  kind: "file" | "dependencyOutput",
  previous: KeyInputs,
  current: KeyInputs,
  { exists = () => false }: ExplainOptions,
): Cause | undefined {
  const before = new Map(previous.inputs.map((node) => [node.path, contentOf(node)]));
  const after = new Map(current.inputs.map((node) => [node.path, contentOf(node)]));
  const producerOf = (path: string): string | undefined =>
    current.producers[path] ?? (after.has(path) ? undefined : previous.producers[path]);
  const wanted = kind === "dependencyOutput";
  const changed = compare(before, after).filter(
    ({ name }) => (producerOf(name) !== undefined) === wanted,
  );
  if (!wanted) {
    const text = renamed(changed) ?? fileText(changed, exists);
    const cause = group(kind, changed, "", "inputs");
    return cause && (text === undefined ? cause : { ...cause, text });
  }
  const producers = [...new Set(changed.map(({ name }) => producerOf(name) ?? ""))];
  const whose = producers.length === 1 ? producers.join("") : `${producers.length} dependencies`;
  return group(kind, changed, `output of ${whose} `, `outputs of ${whose}`);
}

function renamed(changed: readonly ChangedComponent[]): string | undefined {
  const [after, before] = changed;
  if (changed.length !== 2 || after?.before !== undefined || before?.after !== undefined)
    return undefined;
  if (after === undefined || before === undefined || after.after !== before.before)
    return undefined;
  return `${shortenPath(before.name)} renamed to ${shortenPath(after.name)}`;
}

/** What became of the one file that differs, when that is more than "changed"; files that are still there and no inputs any more. */
function fileText(
  changed: readonly ChangedComponent[],
  exists: (path: string) => boolean,
): string | undefined {
  const [only] = changed;
  if (only === undefined) return undefined;
  if (changed.every(({ name, after }) => after === undefined && exists(name))) {
    return changed.length === 1
      ? `${shortenPath(only.name)} is no input any more`
      : `${changed.length} files are no inputs any more: ${shortNames(changed)}`;
  }
  const { name, before, after } = only;
  if (changed.length > 1 || before === undefined || after === undefined) return undefined;
  const path = shortenPath(name);
  if (after === `${before}${executable}`) return `${path} changed: executable now`;
  if (before === `${after}${executable}`) return `${path} changed: not executable any more`;
  const [wasLink, isLink] = [before.startsWith(linkTo), after.startsWith(linkTo)];
  if (wasLink && isLink)
    return `${path} changed: link to ${shortPair(before.slice(linkTo.length), after.slice(linkTo.length))}`;
  if (isLink) return `${path} changed: a link now`;
  if (wasLink) return `${path} changed: no link any more`;
  if (after === "folder") return `${path} changed: a folder now`;
  return before === "folder" ? `${path} changed: no folder any more` : undefined;
}
