import type { Pattern, PatternSet } from "./compile-pattern.ts";

/**
 * How far a pattern has come on the way down to a directory: the segments before `index` are matched. A walk
 * carries all that are alive (the states of a non-deterministic automaton), so that it goes only where
 * something can still match, and each name is compared with each living state once.
 */
export interface PatternState {
  readonly pattern: Pattern;
  /** `segments.length`: the directory itself was matched, and everything below it counts. */
  readonly index: number;
  /** The pattern named an ignored path on the way, so that what is ignored below counts, too. */
  readonly forced: boolean;
}

/** What one name does to the states of its directory. */
export interface Advance {
  /** Patterns that the name completes. */
  readonly matched: readonly Pattern[];
  /** The states inside it, should it be a directory. */
  readonly inside: readonly PatternState[];
  /** Those of them to be followed through a symbolic link: not `**`, which would go round in circles. */
  readonly throughLink: readonly PatternState[];
}

const nothing: Advance = { matched: [], inside: [], throughLink: [] };

export function startStates(patterns: readonly Pattern[]): PatternState[] {
  const states: PatternState[] = [];
  for (const pattern of patterns) addState(states, pattern, 0, false);
  return states;
}

/** Adds a state and, since `**` may stand for nothing, the one behind it. */
export function addState(
  states: PatternState[],
  pattern: Pattern,
  index: number,
  forced: boolean,
): void {
  const known = states.some(
    (state) => state.pattern === pattern && state.index === index && state.forced === forced,
  );
  if (known) return;
  states.push({ pattern, index, forced });
  if (pattern.segments[index]?.kind === "globstar") addState(states, pattern, index + 1, forced);
}

/** @param ignored whether git ignores the name, or a directory above it */
export function advance(
  states: readonly PatternState[],
  name: string,
  isDirectory: boolean,
  ignored: boolean,
): Advance {
  if (states.length === 0) return nothing;
  const matched: Pattern[] = [];
  const inside: PatternState[] = [];
  const throughLink: PatternState[] = [];
  for (const { pattern, index, forced } of states) {
    const named = index < pattern.baseLength;
    if (ignored && !forced && !named) continue;
    const nowForced = forced || (ignored && named);
    const end = pattern.segments.length;
    const segment = pattern.segments[index];
    if (segment === undefined) {
      if (!pattern.recursive) continue;
      matched.push(pattern);
      if (isDirectory) addState(inside, pattern, end, nowForced);
    } else if (segment.kind === "globstar") {
      if (index === end - 1) matched.push(pattern);
      if (isDirectory) addState(inside, pattern, index, nowForced);
    } else if (segment.kind === "literal" ? segment.name === name : segment.matches(name)) {
      if (index < end - 1) {
        addState(throughLink, pattern, index + 1, nowForced);
        if (isDirectory) addState(inside, pattern, index + 1, nowForced);
      } else {
        if (isDirectory ? pattern.recursive : !pattern.directoryOnly) matched.push(pattern);
        if (isDirectory && pattern.recursive) addState(inside, pattern, end, nowForced);
      }
    }
  }
  return { matched, inside, throughLink };
}

/** Whether everything below a directory with these states matches. */
export function matchesAllBelow(states: readonly PatternState[]): boolean {
  return states.some(({ pattern, index }) => {
    const left = pattern.segments.length - index;
    return left === 0
      ? pattern.recursive
      : left === 1 && pattern.segments[index]?.kind === "globstar";
  });
}

/** The states of a whole pattern set, on the way down. */
export interface SetStates {
  readonly include: readonly PatternState[];
  readonly exclude: readonly PatternState[];
}

export function startSet(set: PatternSet): SetStates {
  return { include: startStates(set.include), exclude: startStates(set.exclude) };
}

/** One step down; `matches` says whether the name itself is in the set, `matchesAll` whether it is with everything below. */
export function advanceSet(
  states: SetStates,
  name: string,
  isDirectory: boolean,
): { readonly states: SetStates; readonly matches: boolean; readonly matchesAll: boolean } {
  const include = advance(states.include, name, isDirectory, false);
  const exclude = advance(states.exclude, name, isDirectory, false);
  return {
    states: { include: include.inside, exclude: exclude.inside },
    matches: include.matched.length > 0 && exclude.matched.length === 0,
    matchesAll: matchesAllBelow(include.inside) && exclude.inside.length === 0,
  };
}
