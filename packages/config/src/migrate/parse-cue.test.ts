import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FieldNode, parseCue, type StructNode } from "./parse-cue.ts";
import { CueScanFailure } from "./scan-cue.ts";

/** `a: b: 1` as "a.b", with the text of what is no struct. */
function outline(text: string): readonly string[] {
  const lines: string[] = [];
  const visitStruct = ({ fields, embedded }: StructNode, path: string): void => {
    for (const field of fields) visitField(field, path);
    for (const each of embedded) visitStruct(each, `${path}*`);
  };
  const visitField = (field: FieldNode, path: string): void => {
    const at = `${path}${path === "" || path.endsWith("*") ? "" : "."}${field.name ?? "?"}`;
    const { value } = field;
    if (value.kind === "field") visitField(value, at);
    else if (value.kind === "struct") visitStruct(value, at);
    else {
      lines.push(`${at} = ${text.slice(value.start, value.end)}`);
      for (const struct of value.structs) visitStruct(struct, `${at}*`);
    }
  };
  visitStruct(parseCue(text).file, "");
  return lines;
}

function failureOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("parseCue", () => {
  it.each([
    ["a: 1, b: 2", ["a = 1", "b = 2"]],
    ["a: b: c: 1", ["a.b.c = 1"]],
    ['"x:y": {"z": 1}', ["x:y.z = 1"]],
    ["a?: 1\nb!: 2\n#c: 3\n_d: 4", ["a = 1", "b = 2", "#c = 3", "_d = 4"]],
    ['X=a: 1\n[string]: 2\n(k): 3\n"\\(k)": 4', ["a = 1", "? = 2", "? = 3", "? = 4"]],
    ["a:\n\n  1\nb: 2", ["a = 1", "b = 2"]],
    ["a: 1 +\n  2\nb: 3", ["a = 1 +\n  2", "b = 3"]],
    ["a: x & {b: 1} & {c: 2}", ["a = x & {b: 1} & {c: 2}", "a*b = 1", "a*c = 2"]],
    ["a: [{b: 1}, {c: 2}]\nd: 3", ["a = [{b: 1}, {c: 2}]", "a*b = 1", "a*c = 2", "d = 3"]],
    ["a: {for k, v in x if v {b: 1}}\nc: 2", ["a*b = 1", "c = 2"]],
    ["if x {a: 1}\nlet y = {b: 1}\n{c: 2}", ["*a = 1", "*b = 1", "*c = 2"]],
    ["a: 1 // b: 2 {\n// }\nc: 3", ["a = 1", "c = 3"]],
    ['a: "}{" \nb: "\\"{" \nc: \'{\'', ['a = "}{"', 'b = "\\"{"', "c = '{'"]],
    ['a: "x\\(y["}"] + "\\("{")")z"\nb: 1', ['a = "x\\(y["}"] + "\\("{")")z"', "b = 1"]],
    ['a: """\n  } "" {\n  \\"""\n  """\nb: 1', ['a = """\n  } "" {\n  \\"""\n  """', "b = 1"]],
    [
      'a: #"\\n"}\\(x)"#\nb: ##"\\##("}")"##\nc: 1',
      ['a = #"\\n"}\\(x)"#', 'b = ##"\\##("}")"##', "c = 1"],
    ],
    ['a: "" \nb: 1', ['a = ""', "b = 1"]],
    ['a: 1 @go(x,"})")\n@top(a)\nb: 2', ["a = 1", "b = 2"]],
    [
      'package x\n\nimport (\n\t"a"\n\tb "c:d"\n)\na: b.#C & {d: e: 1, ...}',
      ["a = b.#C & {d: e: 1, ...}", "a*d.e = 1"],
    ],
    ["a: {\r\n\tb: 1\r\n}\r\nc: 2", ["a.b = 1", "c = 2"]],
    ["\uFEFFa: 1", ["a = 1"]],
    ["größe: 1\n$a: 2", ["größe = 1", "$a = 2"]],
  ])("finds the fields of %j", (text, expected) => {
    expect(outline(text)).toEqual(expected);
  });

  it.each([
    "a: {",
    "a: }",
    "a: [",
    'a: "x',
    'a: """\nx',
    "a: (1]}",
    'a: "\\(x"',
    "{".repeat(5000),
    "a:".repeat(5000),
  ])("refuses %.20j", (text) => {
    expect(() => parseCue(text)).toThrow(CueScanFailure);
  });

  it("finds every name of any JSON, which is CUE", () => {
    const names = (value: unknown): readonly string[] =>
      Array.isArray(value)
        ? value.flatMap(names)
        : typeof value === "object" && value !== null
          ? Object.entries(value).flatMap(([name, inner]) => [name, ...names(inner)])
          : [];
    fc.assert(
      fc.property(
        fc.object({
          maxDepth: 4,
          withNullPrototype: false,
          values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)],
        }),
        (data) => {
          for (const space of [undefined, 2]) {
            const found: (string | undefined)[] = [];
            const visit = (node: StructNode | FieldNode["value"]): void => {
              if (node.kind === "field") {
                found.push(node.name);
                visit(node.value);
              } else if (node.kind === "struct")
                for (const each of [...node.fields, ...node.embedded]) visit(each);
              else for (const each of node.structs) visit(each);
            };
            visit(parseCue(JSON.stringify(data, undefined, space)).file);
            expect(new Set(found)).toEqual(new Set(names(data)));
            expect(found).toHaveLength(names(data).length);
          }
        },
      ),
    );
  });

  it("ends, with a tree or a failure, on any text", () => {
    const letters = fc.constantFrom(..."ab\"'#\\({[]}),:?!=@\n /.1&_".split(""));
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 60 }), (parts) => {
        const text = parts.join("");
        expect(failureOf(() => parseCue(text))).toBeOneOf([undefined, expect.any(CueScanFailure)]);
      }),
      { numRuns: 3000 },
    );
  });
});
