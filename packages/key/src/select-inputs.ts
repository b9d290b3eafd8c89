import { compareUtf8, type FileIndex, type FileKind } from "@cuenv/digest";
import {
  compileOutputPatterns,
  compilePatterns,
  type Pattern,
  type PatternSet,
} from "./compile-pattern.ts";
import { digestOfInput, listInputs } from "./hash-input-files.ts";
import { createIgnoreRules, type IgnoreRules, ignoreFileName } from "./ignore-rules.ts";
import {
  addState,
  advance,
  advanceSet,
  type PatternState,
  type SetStates,
  startSet,
} from "./pattern-states.ts";
import { resolvePath, type ResolvedPath } from "./resolve-path.ts";
import type { InputProblem, Selection, SelectionCheck, SelectionRequest } from "./selection.ts";

interface Walk {
  readonly index: FileIndex;
  readonly rules: IgnoreRules;
  readonly patterns: readonly Pattern[];
  readonly excluded: readonly PatternSet[];
  readonly excludePaths: ReadonlySet<string>;
  readonly files: Set<string>;
  readonly checks: Map<string, SelectionCheck>;
  readonly problems: InputProblem[];
  readonly matched: Set<Pattern>;
  /** Places with states that a walk through a link has been to: links may go round in circles, or meet again. */
  readonly linked: Set<string>;
}

/** A directory on the way: how far exclusions have come, and whether git ignores it. */
interface Place {
  readonly path: string;
  readonly ignored: boolean;
  readonly excluded: readonly SetStates[];
}

/**
 * The input files of a task: what its patterns match on disk, by a walk over the listings of the index that goes
 * only where something can match. docs/key.md says what patterns mean.
 *
 * @throws {CuenvError} KEY_GLOB_INVALID; KEY_INPUT_UNREADABLE when a folder cannot be listed, a link or a `.gitignore` not read, or the system does
 * not say what is there
 */
export function selectInputs(request: SelectionRequest): Selection {
  const declared = startsFromAll(request.patterns)
    ? ["**", ...(request.patterns ?? [])]
    : (request.patterns ?? []);
  const own = compilePatterns(
    [...declared, ...(request.extraPatterns ?? [])],
    request.projectDirectory,
  );
  const ignored = compilePatterns(request.ignorePatterns ?? [], request.projectDirectory);
  const outputs = (request.excludeOutputs ?? []).map(({ patterns, projectDirectory }) =>
    compileOutputPatterns(patterns, projectDirectory),
  );
  const excluded = [{ include: own.exclude, exclude: [] }, ignored, ...outputs];
  const walk = startWalk(request, own.include, excluded);
  for (const pattern of own.include) selectPattern(walk, pattern);
  reportUnmatched(walk);
  return {
    files: [...walk.files].toSorted(compareUtf8),
    problems: walk.problems,
    checks: [...walk.checks.values()].filter((check) => !isListed(walk, check)),
  };
}

/**
 * That no `.gitignore` is in a folder is what its listing says, too. Not one that was read later than it was looked for, and has one: then the check fails
 * next time, as it must, for its rules were not applied.
 */
function isListed({ checks, index }: Walk, check: SelectionCheck): boolean {
  if (check.kind !== "path" || check.found !== "missing") return false;
  const slash = check.path.lastIndexOf("/");
  if (check.path.slice(slash + 1) !== ignoreFileName) return false;
  const folder = check.path.slice(0, Math.max(slash, 0));
  const listing = checks.get(`list ${folder}`);
  // One that cannot be listed says nothing.
  if (listing?.kind !== "listing" || listing.hash === "") return false;
  return index.list(folder).every(({ name }) => name !== ignoreFileName);
}

/** Nothing declared, or only what is left out: then all files of the project are meant. */
export function startsFromAll(patterns: readonly string[] | undefined): boolean {
  if (patterns === undefined) return true;
  return patterns.length > 0 && patterns.every((pattern) => pattern.startsWith("!"));
}

/** Patterns with wildcards of which no alternative found anything. All files of a project may be none. */
function reportUnmatched(walk: Walk): void {
  const isGlob = ({ baseLength, segments }: Pattern): boolean => baseLength < segments.length;
  const found = new Set([...walk.matched].map((pattern) => pattern.source));
  const globs = new Set(walk.patterns.filter(isGlob).map((pattern) => pattern.source));
  for (const pattern of globs) {
    if (!found.has(pattern) && pattern !== "**") walk.problems.push({ kind: "unmatched", pattern });
  }
}

function startWalk(
  request: SelectionRequest,
  patterns: readonly Pattern[],
  excluded: readonly PatternSet[],
): Walk {
  const checks = new Map<string, SelectionCheck>();
  const { index } = request;
  const rules = createIgnoreRules(index, (path) => {
    const found = index.stat(path)?.kind ?? "missing";
    checks.set(
      `ignore ${path}`,
      found === "file"
        ? { kind: "content", path, hash: digestOfInput(index, path).hash }
        : { kind: "path", path, found },
    );
  });
  return {
    index,
    rules,
    patterns,
    excluded: excluded.filter(({ include }) => include.length > 0),
    excludePaths: new Set(request.excludePaths),
    files: new Set(),
    checks,
    problems: [],
    matched: new Set(),
    linked: new Set(),
  };
}

/** Goes to where the pattern's wildcards begin, or to the path that it names, and selects from there. */
function selectPattern(walk: Walk, pattern: Pattern): void {
  const named = pattern.baseLength === pattern.segments.length;
  const place = placeOf(walk, pattern.base);
  // What leaves out a folder with all below it (`!a/**`) may leave a file of that name in.
  if (place === undefined && !(named && mayBeFile(walk, pattern.base))) return;
  const target = resolve(walk, pattern.base);
  if (named && target.kind === "missing") {
    walk.problems.push({ kind: "missing", path: pattern.base, pattern: pattern.source });
  } else if (target.kind === "directory") {
    const states: PatternState[] = [];
    const start = target.path === pattern.base ? place : placeOf(walk, target.path);
    if (place === undefined || start === undefined) return;
    addState(states, pattern, pattern.baseLength, place.ignored || start.ignored);
    walkDirectory(walk, start, states);
  } else if (named && !pattern.directoryOnly) {
    selectTarget(walk, target);
  }
}

/** Follows links in a path; each of them is an input itself. */
function resolve(walk: Walk, path: string): ResolvedPath {
  const links: { path: string; target: string }[] = [];
  const resolved = resolvePath(walk.index, path, {
    looked: (at, found) => walk.checks.set(`path ${at}`, { kind: "path", path: at, found }),
    link: (at, target) => {
      links.push({ path: at, target });
      walk.checks.set(`link ${at}`, { kind: "link", path: at, target });
    },
  });
  for (const link of links) addFile(walk, link.path);
  const last = links.at(-1);
  const { kind } = resolved;
  if (last !== undefined && (kind === "outside" || kind === "loop" || kind === "missing")) {
    walk.problems.push({ kind: "link", ...last, reason: kind });
  }
  return resolved;
}

function selectTarget(walk: Walk, target: ResolvedPath): void {
  if (target.kind === "file") addFile(walk, target.path);
  else if (target.kind === "other") walk.problems.push({ kind: "special", path: target.path });
}

/** Adds a path that was not reached by a walk, unless it is excluded. */
function addFile(walk: Walk, path: string): void {
  if (mayBeFile(walk, path)) walk.files.add(path);
}

/** Whether a file at this path is not excluded. */
function mayBeFile(walk: Walk, path: string): boolean {
  const parent = path.lastIndexOf("/");
  const place = placeOf(walk, parent < 0 ? "" : path.slice(0, parent));
  if (path === "" || place === undefined || walk.excludePaths.has(path)) return false;
  const name = path.slice(parent + 1);
  return !place.excluded.some((states) => advanceSet(states, name, false).matches);
}

/** How exclusions and ignore rules stand at a directory; undefined when it is excluded with all below it. */
function placeOf(walk: Walk, path: string): Place | undefined {
  let place: Place = { path: "", ignored: false, excluded: walk.excluded.map(startSet) };
  if (path === "") return place;
  for (const name of path.split("/")) {
    const next = stepInto(walk, place, name, "directory");
    if (next === undefined) return undefined;
    place = next;
  }
  return place;
}

/** One step down. Undefined: what is there is excluded. */
function stepInto(walk: Walk, from: Place, name: string, kind: FileKind): Place | undefined {
  const path = from.path === "" ? name : `${from.path}/${name}`;
  if (walk.excludePaths.has(path)) return undefined;
  const isDirectory = kind === "directory";
  const excluded: SetStates[] = [];
  for (const states of from.excluded) {
    const next = advanceSet(states, name, isDirectory);
    if (isDirectory ? next.matchesAll : next.matches) return undefined;
    excluded.push(next.states);
  }
  return { path, ignored: from.ignored || walk.rules.ignores(path, isDirectory), excluded };
}

function walkDirectory(walk: Walk, place: Place, states: readonly PatternState[]): void {
  const { index, checks } = walk;
  const entries = listInputs(index, place.path);
  const without = leftOut(walk, place);
  checks.set(`list ${place.path}`, {
    kind: "listing",
    path: place.path,
    hash: index.listHash(place.path),
    rest: without.length === 0 ? undefined : { without, hash: index.listHash(place.path, without) },
  });
  walk.rules.listed(
    place.path,
    entries.some((entry) => entry.name === ignoreFileName),
  );
  for (const { name, kind } of entries) {
    // First without the ignore rules, which cost more: most names match nothing.
    const possible = advance(states, name, kind === "directory", false);
    if (possible.matched.length + possible.inside.length + possible.throughLink.length === 0)
      continue;
    const next = stepInto(walk, place, name, kind);
    if (next !== undefined)
      selectEntry(walk, next, kind, advance(states, name, kind === "directory", next.ignored));
  }
}

/** Names that exclusions spell out, of which nothing below this directory counts, whatever is there under them. */
function leftOut(walk: Walk, place: Place): string[] {
  const names = new Set<string>();
  for (const { include } of place.excluded) {
    for (const { pattern, index } of include) {
      const segment = pattern.segments[index];
      if (segment?.kind === "literal") names.add(segment.name);
    }
  }
  // What it says is about its neighbours.
  names.delete(ignoreFileName);
  return [...names].filter(
    (name) =>
      stepInto(walk, place, name, "file") === undefined &&
      stepInto(walk, place, name, "directory") === undefined,
  );
}

function selectEntry(
  walk: Walk,
  place: Place,
  kind: FileKind,
  step: ReturnType<typeof advance>,
): void {
  if (kind === "directory") {
    for (const pattern of step.matched) walk.matched.add(pattern);
    if (step.inside.length === 0) return;
    // A folder whose name is not UTF-8, or its path too long, cannot be listed. It stands for its files: hashing it says what is wrong.
    if (walk.index.stat(place.path) === undefined) walk.files.add(place.path);
    else walkDirectory(walk, place, step.inside);
    return;
  }
  if (step.matched.length > 0) {
    for (const pattern of step.matched) walk.matched.add(pattern);
    if (kind === "file") walk.files.add(place.path);
    else if (kind === "symlink") selectLink(walk, place.path);
    else walk.problems.push({ kind: "special", path: place.path });
  }
  if (kind === "symlink" && step.throughLink.length > 0) {
    followLink(walk, place.path, step.throughLink);
  }
}

const everythingBelow: Pattern = {
  source: "",
  segments: [],
  baseLength: 0,
  base: "",
  recursive: true,
  directoryOnly: false,
};

/** A link that is an input: its text counts, and what it points to inside the workspace. */
function selectLink(walk: Walk, path: string): void {
  const target = resolve(walk, path);
  if (target.kind !== "directory") {
    selectTarget(walk, target);
    return;
  }
  const place = placeOf(walk, target.path);
  const key = `* ${target.path}`;
  if (place === undefined || walk.linked.has(key)) return;
  walk.linked.add(key);
  const states: PatternState[] = [];
  addState(states, everythingBelow, 0, place.ignored);
  walkDirectory(walk, place, states);
}

function followLink(walk: Walk, path: string, states: readonly PatternState[]): void {
  const target = resolve(walk, path);
  if (target.kind !== "directory") return;
  const place = placeOf(walk, target.path);
  const ids = states.map(({ pattern, index, forced }) => {
    return `${walk.patterns.indexOf(pattern)}:${index}${forced ? "!" : ""}`;
  });
  const key = `${ids.join(" ")} ${target.path}`;
  if (place === undefined || walk.linked.has(key)) return;
  walk.linked.add(key);
  walkDirectory(walk, place, states);
}
