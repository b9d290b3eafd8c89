/**
 * The fenced examples of a Markdown text, section by section (a section: what stands below one heading).
 * An example: `language` and `words` from the line that opens it, `text`, `line` (1-based), and `output`, the
 * ```text block that follows it with nothing but blank lines between.
 */
export function sectionsOf(markdown) {
  const sections = [{ title: "", examples: [] }];
  const lines = markdown.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const heading = /^#{1,6} (.*)$/.exec(lines[index]);
    if (heading) sections.push({ title: heading[1], examples: [] });
    const fence = /^(```+)(\S*)(.*)$/.exec(lines[index]);
    if (!fence) continue;
    const end = lines.indexOf(fence[1], index + 1);
    if (end < 0) throw new Error(`line ${index + 1}: the block has no end`);
    const example = {
      language: fence[2],
      words: fence[3].trim().split(/\s+/).filter(Boolean),
      text: `${lines.slice(index + 1, end).join("\n")}\n`,
      line: index + 1,
      output: undefined,
      end,
    };
    const { examples } = sections.at(-1);
    const before = examples.at(-1);
    const follows =
      before && lines.slice(before.end + 1, index).every((line) => line.trim() === "");
    if (example.language === "text" && follows) before.output = example.text;
    else examples.push(example);
    index = end;
  }
  return sections.filter((section) => section.examples.length > 0);
}

/** Whether `actual` is what `expected` says: `…` stands for any part of a line, and alone on a line for any lines. */
export function outputMatches(expected, actual) {
  const lines = (text) => text.split("\n").map((line) => line.trimEnd());
  const pattern = lines(expected.trim())
    .map((line) =>
      line === "…"
        ? "(?:[^\n]*(?:\n|$))*?"
        : `${line.split("…").map(escape).join("[^\n]*")}(?:\n|$)`,
    )
    .join("");
  return new RegExp(`^${pattern}$`).test(lines(actual.trim()).join("\n"));
}

function escape(text) {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
