/** Where in a POSIX shell's text a place is, as far as quoting goes. "unknown": in or after something that this reader does not follow. */
export type ScriptContext = "plain" | "single" | "double" | "comment" | "unknown";

/**
 * The context of each of `offsets` (ascending) in a script of sh, bash, dash, ksh or zsh. It follows quotes,
 * backslashes, comments and command substitutions; after a here-document, a backquote, `$'…'`, or `case` inside a
 * substitution it says "unknown", never something wrong: what is put there must need no quoting.
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
  // `<<<`, a here-string, is read as three characters, the middle one of which may not count as `<<` either.
  return /^<<(?!<)/.test(script.slice(index, index + 3)) && script.charAt(index - 1) !== "<";
}
