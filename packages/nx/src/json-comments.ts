/** Each comment, and each comma before a closing bracket, becomes spaces: places in the text stay. */
export function withoutComments(text: string): string {
  const blank = (token: string): string => token.replaceAll(/[^\r\n]/g, " ");
  const bare = text
    .replace(/^\uFEFF/, " ")
    .replaceAll(/"(?:[^"\\]|\\.)*"|\/\/[^\r\n]*|\/\*[\s\S]*?\*\//g, (token) =>
      token.startsWith('"') ? token : blank(token),
    );
  return bare.replaceAll(/"(?:[^"\\]|\\.)*"|,(?=\s*[\]}])/g, (token) =>
    token.startsWith('"') ? token : " ",
  );
}

export function isPlainJson(text: string): boolean {
  return withoutComments(text) === text;
}

/**
 * The text of a JSON object with one more entry at the end of its list `field`, or with that list where there is none; comments stay. The text must be one
 * that can be read without its comments.
 */
export function withListEntry(text: string, field: string, entry: string): string {
  const bare = withoutComments(text);
  const end = listEnd(bare, field);
  if (end === undefined) {
    const open = bare.indexOf("{") + 1;
    const isEmpty = /^\s*\}/.test(bare.slice(open));
    const list = `\n  ${JSON.stringify(field)}: [${entry}]${isEmpty ? "\n" : ","}`;
    return text.slice(0, open) + list + text.slice(open);
  }
  const last = bare.slice(0, end).trimEnd().length;
  const isEmpty = bare[last - 1] === "[";
  return `${text.slice(0, last)}${isEmpty ? "" : ", "}${entry}${text.slice(last)}`;
}

/** Where the list of a field of the outermost object is closed. */
function listEnd(bare: string, field: string): number | undefined {
  const name = JSON.stringify(field);
  let depth = 0;
  let before: readonly string[] = [];
  let found = false;
  for (const { 0: token, index } of bare.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === "[" && depth === 1 && before[0] === name && before[1] === ":") found = true;
    if (token === "{" || token === "[") depth += 1;
    if (token === "}" || token === "]") depth -= 1;
    if (found && token === "]" && depth === 1) return index;
    before = [before[1] ?? "", token];
  }
  return undefined;
}
