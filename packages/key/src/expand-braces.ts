import { endOfClass } from "./character-class.ts";

/** Why a text is no pattern: the end of a sentence. */
export class GlobSyntaxError extends Error {}

/** More alternatives than this in one pattern are a mistake, or an attack: `{a,b}` thirty times is 10^9. */
const maxAlternatives = 1_000;

/**
 * The patterns that `{a,b}` stands for, in the order written; groups may nest and contain slashes. A group without
 * a comma is not a group: its braces are characters.
 * @throws {GlobSyntaxError} for a brace that is not closed, or too many alternatives.
 */
export function expandBraces(pattern: string): string[] {
  const budget = { left: maxAlternatives };
  return expand(pattern, budget);
}

function expand(pattern: string, budget: { left: number }): string[] {
  for (let from = 0; ;) {
    const group = nextGroup(pattern, from);
    if (group === undefined) return [pattern];
    if (group.alternatives.length < 2) {
      // Its braces are characters; what is inside may still have groups.
      from = group.start + 1;
      continue;
    }
    const expanded: string[] = [];
    for (const alternative of group.alternatives) {
      const whole = pattern.slice(0, group.start) + alternative + pattern.slice(group.end);
      expanded.push(...expandRest(whole, from, budget));
    }
    return expanded;
  }
}

function expandRest(pattern: string, from: number, budget: { left: number }): string[] {
  budget.left -= 1;
  if (budget.left < 0) {
    throw new GlobSyntaxError(`its braces stand for more than ${maxAlternatives} patterns`);
  }
  return from === 0
    ? expand(pattern, budget)
    : expand(pattern.slice(from), budget).map((rest) => pattern.slice(0, from) + rest);
}

interface Group {
  readonly start: number;
  /** Behind the closing brace. */
  readonly end: number;
  readonly alternatives: readonly string[];
}

function nextGroup(pattern: string, from: number): Group | undefined {
  const start = skipTo(pattern, from, "{");
  if (start === undefined) return undefined;
  const alternatives: string[] = [];
  let depth = 0;
  let begin = start + 1;
  for (let at = start; at < pattern.length; at += 1) {
    const character = pattern[at];
    if (character === "[") {
      at = (endOfClass(pattern, at) ?? at + 1) - 1;
    } else if (character === "{") {
      depth += 1;
    } else if (character === "," && depth === 1) {
      alternatives.push(pattern.slice(begin, at));
      begin = at + 1;
    } else if (character === "}") {
      depth -= 1;
      if (depth > 0) continue;
      alternatives.push(pattern.slice(begin, at));
      return { start, end: at + 1, alternatives };
    }
  }
  throw new GlobSyntaxError("a brace { is not closed");
}

/** Where `wanted` is next, outside of `[…]`. */
function skipTo(pattern: string, from: number, wanted: string): number | undefined {
  for (let at = from; at < pattern.length; at += 1) {
    if (pattern[at] === wanted) return at;
    if (pattern[at] === "[") at = (endOfClass(pattern, at) ?? at + 1) - 1;
  }
  return undefined;
}
