/** Where in a POSIX shell's text a place is, as far as quoting goes. "unknown": in or after something that this reader does not follow. */
export type ScriptContext = "plain" | "single" | "double" | "comment" | "unknown";

/** Shells disagree about quotes inside of `"${x:-…}"`; a placeholder has braces, so it is never inside of these. */
const simpleExpansion = /^\$\{[^'"`\\${}]*\}/;
const longestExpansion = 256;

/**
 * The context of each of `offsets` (ascending) in a script of sh, bash, dash, ksh or zsh. It follows quotes,
 * backslashes, comments, command substitutions and simple `${…}`; after a here-document, `((`, a backquote, `$'…'`, a `${…}`
 * with quotes in it, or `case` inside a substitution it says "unknown", never something wrong: what is put there must
 * need no quoting.
 */
export function scriptContexts(script: string, offsets: readonly number[]): ScriptContext[] {
  const contexts: ScriptContext[] = [];
  /** Open parentheses of each command substitution inside double quotes that we are in. */
  const substitutions: number[] = [];
  let context: ScriptContext = "plain";
  let next = 0;

  for (let index = 0; index <= script.length; index += 1) {
    while (offsets[next] === index) {
      contexts.push(context);
      next += 1;
    }
    if (context === "unknown") continue;
    const character = script.charAt(index);
    const depth = substitutions.at(-1);
    if (context === "comment") {
      if (character === "\n") context = "plain";
    } else if (context === "single") {
      if (character === "'") context = "plain";
    } else if (character === "\\") {
      // A place between a backslash and what it escapes cannot be filled: it counts as the character escaped.
      if (offsets[next] === index + 1) context = "unknown";
      else index += 1;
    } else if (script.startsWith("${", index)) {
      const length = simpleExpansion.exec(script.slice(index, index + longestExpansion))?.[0]
        .length;
      if (length === undefined) context = "unknown";
      else index += length - 1;
    } else if (context === "plain" && script.startsWith("<<<", index)) {
      index += 2; // a here-string: one word follows
    } else if (isOpaque(script, index, context, depth !== undefined)) {
      context = "unknown";
    } else if (character === '"') {
      context = context === "double" ? "plain" : "double";
    } else if (context === "double") {
      if (character === "$" && script.charAt(index + 1) === "(") {
        substitutions.push(0);
        context = "plain";
      }
    } else if (character === "'") {
      context = "single";
    } else if (character === "#" && (index === 0 || /[\s;&|()]/.test(script.charAt(index - 1)))) {
      context = "comment";
    } else if (depth !== undefined && character === "(") {
      substitutions[substitutions.length - 1] = depth + 1;
    } else if (depth !== undefined && character === ")") {
      if (depth === 1) {
        substitutions.pop();
        context = "double";
      } else substitutions[substitutions.length - 1] = depth - 1;
    }
  }
  return contexts;
}

function isOpaque(
  script: string,
  index: number,
  context: ScriptContext,
  inSubstitution: boolean,
): boolean {
  if (script.charAt(index) === "`") return true;
  if (context !== "plain") return false;
  if (script.startsWith("$'", index)) return true;
  if (inSubstitution && /^case\s/.test(script.slice(index, index + 5))) return true;
  // Inside of ((…)), which only some shells have, quotes do not quote.
  return script.startsWith("((", index) || script.startsWith("<<", index);
}
