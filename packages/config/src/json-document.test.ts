import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonProblem, locateJson } from "./json-document.ts";

describe("jsonProblem", () => {
  it("is none for any JSON without two fields of one name in an object", () => {
    fc.assert(fc.property(fc.json(), (text) => jsonProblem(text, "f") === undefined));
    expect(
      jsonProblem('{"a": {"a": 1}, "b": {"a": 2}, "c/d": 1, "c": {"d": 1}}', "f"),
    ).toBeUndefined();
  });

  it("T18: is a name that is there twice, however it is written, at any depth", () => {
    expect(jsonProblem('{"a": 1,\n "\\u0061": 2}', "f")).toEqual({
      reason: "it has /a twice",
      location: { file: "f", line: 2, column: 2 },
    });
    expect(jsonProblem('[{}, {"b": {"__proto__": 1, "__proto__": 2}}]', "f")?.reason).toBe(
      "it has /1/b/__proto__ twice",
    );
  });

  it("is nesting that would exhaust the stack", () => {
    const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
    expect(jsonProblem(deep, "f")?.reason).toContain("nested too deeply");
  });
});

describe("locateJson", () => {
  it("agrees with JSON.parse on what JSON is", () => {
    const noise = fc.string({ unit: fc.constantFrom(...'{}[]",:0123.eE+-tfn \\u\n'.split("")) });
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", '"', "0", "x"))
      .map(([text, at, insert]) => {
        const place = text.length === 0 ? 0 : at % text.length;
        return text.slice(0, place) + insert + text.slice(place + (insert === "" ? 1 : 0));
      });
    fc.assert(
      fc.property(fc.oneof(fc.json(), noise, broken), (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect(locateJson(text, "f").ok).toBe(isJson);
      }),
      { numRuns: 2000 },
    );
  });

  it("knows where every field stands", () => {
    const text = '{\n  "a": {"b/c": [1,\n {"d": 2}]}\n}';
    const document = locateJson(text, "f");
    expect(document.ok && Object.entries(document.positions)).toEqual([
      ["/a", { file: "f", line: 2, column: 3 }],
      ["/a/b~1c", { file: "f", line: 2, column: 9 }],
      ["/a/b~1c/0", { file: "f", line: 2, column: 17 }],
      ["/a/b~1c/1", { file: "f", line: 3, column: 2 }],
      ["/a/b~1c/1/d", { file: "f", line: 3, column: 3 }],
    ]);
  });

  it("ends on nesting that would exhaust the stack", () => {
    const document = locateJson("[".repeat(100_000), "f");
    expect(document.ok).toBe(false);
  });
});
