import { describe, expect, it } from "vitest";
import { outputMatches, sectionsOf } from "./markdown-examples.mjs";

describe("the examples of a Markdown text", () => {
  it("stand below their heading, with their language and words", () => {
    const text = "# One\n```sh run\necho a\n```\n## Two\n```cue\nx: 1\n```\n";
    const sections = sectionsOf(text);
    expect(sections.map((section) => section.title)).toEqual(["One", "Two"]);
    expect(sections[0]?.examples[0]).toMatchObject({
      language: "sh",
      words: ["run"],
      text: "echo a\n",
      line: 2,
    });
  });

  it("have the text block that follows them as their output", () => {
    const [section] = sectionsOf("```sh run\necho a\n```\n\n```text\na\n```\n");
    expect(section?.examples).toHaveLength(1);
    expect(section?.examples[0]?.output).toBe("a\n");
  });

  it("do not take a text block as output when words stand between", () => {
    const [section] = sectionsOf("```sh run\necho a\n```\nOr:\n```text\na\n```\n");
    expect(section?.examples).toHaveLength(2);
    expect(section?.examples[0]?.output).toBeUndefined();
  });

  it("must end", () => {
    expect(() => sectionsOf("```sh\necho")).toThrow("line 1: the block has no end");
  });
});

describe("an expected output", () => {
  it("matches itself, and nothing longer or shorter", () => {
    expect(outputMatches("a\nb\n", "a\nb\n")).toBe(true);
    expect(outputMatches("a\nb\n", "a\nb\nc\n")).toBe(false);
    expect(outputMatches("a\nb\n", "a\n")).toBe(false);
  });

  it("leaves open what … stands for, within its line", () => {
    expect(outputMatches("took … ms (1)\n", "took 12 ms (1)\n")).toBe(true);
    expect(outputMatches("took … ms\n", "took\n12 ms\n")).toBe(false);
  });

  it("leaves out lines where … stands alone", () => {
    expect(outputMatches("a\n…\nd\n", "a\nb\nc\nd\n")).toBe(true);
    expect(outputMatches("a\n…\nd\n", "a\nd\n")).toBe(true);
    expect(outputMatches("a\n…\n", "a\nb\nc")).toBe(true);
    expect(outputMatches("a\n…\nd\n", "a\nb\nc\n")).toBe(false);
  });
});
