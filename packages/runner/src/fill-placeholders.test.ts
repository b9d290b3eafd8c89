import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CuenvError } from "@cuenv/errors";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../test/project.ts";
import { fillArgument, fillScript } from "./fill-placeholders.ts";

const values = new Map<string, string | undefined>([
  ["name", "World"],
  ["0", "World"],
  ["empty", ""],
  ["unset", undefined],
]);
/** Anything an argument can carry. */
const anyText = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(..."'\"$`\\ \n!*~#;&|<>(){}[]=^%-".split("")),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
  })
  .map((text) => text.replaceAll("\0", ""));

/** What a script prints. */
function printed(shell: string, script: string): string {
  const run = spawnSync(shell, ["-c", script], { encoding: "buffer" });
  expect(run.stderr.toString()).toBe("");
  return run.stdout.toString();
}

describe("fillArgument", () => {
  it("puts values in place by name and by index, with or without spaces in the braces", () => {
    expect(fillArgument("{{name}}, {{ 0 }}{{empty}}{{unset}}!", values)).toBe("World, World!");
  });

  it("leaves other braces alone", () => {
    expect(fillArgument("{{.Names}} {{other}} {name} {{}}", values)).toBe(
      "{{.Names}} {{other}} {name} {{}}",
    );
  });

  it("puts a value in once: braces in a value are not filled again", () => {
    expect(
      fillArgument(
        "{{a}}",
        new Map([
          ["a", "{{b}}"],
          ["b", "no"],
        ]),
      ),
    ).toBe("{{b}}");
  });
});

describe("fillScript", () => {
  it("keeps plain values as they are, and leaves nothing for a parameter without a value", () => {
    expect(fillScript("echo {{name}} {{unset}}x", "sh", values)).toBe("echo World x");
    expect(fillScript("echo {{empty}}", "bash", values)).toBe("echo ''");
  });

  it.each([
    "printf %s {{v}}",
    'printf %s "{{v}}"',
    "printf %s '{{v}}'",
    `printf %s "a"'b'{{v}}"c"`,
    'printf %s "$(printf %s "{{v}}"; printf .)" | sed "s/[.]$//"',
    'printf %s "$( (true); printf %s {{v}}x)"',
    "# it's a comment: {{v}}\nprintf %s {{v}}",
    "printf %s it\\'s{{v}}",
    'printf %s "\\"{{v}}"',
    'x={{v}}; printf %s "$x"',
    'x="${y:-it}"; printf %s ${z}a{{v}}',
  ])("makes any value data in a POSIX script: %s", (script) => {
    const reference = fillScript(script, "sh", new Map([["v", "MARK"]]));
    fc.assert(
      fc.property(anyText, (value) => {
        // A command substitution drops newlines at its end, and sed adds one; neither is ours.
        fc.pre(!/\n/.test(value));
        for (const shell of ["sh", "bash"]) {
          const filled = fillScript(script, shell, new Map([["v", value]]));
          expect(printed(shell, filled)).toBe(
            printed(shell, reference).replaceAll("MARK", () => value),
          );
        }
      }),
      { numRuns: 8 },
    );
  });

  it("keeps newlines in a value", () => {
    for (const place of ["{{v}}", '"{{v}}"', "'{{v}}'"])
      expect(
        printed("sh", fillScript(`printf %s ${place}`, "sh", new Map([["v", "a\n\nb 'c'\n"]]))),
      ).toBe("a\n\nb 'c'\n");
  });

  it(
    "never makes a hostile value code, whatever the script around it",
    { timeout: 900_000 },
    () => {
      const folder = temporaryFolder();
      const hostile = fc.constantFrom(
        ";touch pwned;",
        "$(touch pwned)",
        "`touch pwned`",
        "'\ntouch pwned\n'",
        '"\ntouch pwned\n"',
        ")\ntouch pwned\n(",
        "\nEOF\ntouch pwned\n",
        "\\';touch pwned;'",
        "&touch pwned #",
      );
      const piece = fc.constantFrom(
        "'",
        '"',
        "\\",
        "`",
        "$(",
        ")",
        "((",
        "))",
        "#",
        " ",
        "\n",
        "${",
        "}",
        "$'",
        "$",
        "<<EOF\n",
        "<<<",
        "<",
        "EOF\n",
        "case x in x) ",
        ";; esac",
        "echo ",
        "a",
        "b=",
        "{{v}}",
        "{{v}}",
      );
      fc.assert(
        fc.property(fc.array(piece, { minLength: 2, maxLength: 14 }), hostile, (pieces, value) => {
          let script: string;
          try {
            script = fillScript(pieces.join(""), "sh", new Map([["v", value]]));
          } catch (error) {
            if (error instanceof CuenvError) return; // refused, as it may
            throw error;
          }
          for (const shell of ["sh", "bash"])
            spawnSync(shell, ["-c", script], { cwd: folder, stdio: "ignore", timeout: 2000 });
          const isPwned = existsSync(join(folder, "pwned"));
          rmSync(join(folder, "pwned"), { force: true }); // for the next round, which may be a shrunk one
          expect(isPwned).toBe(false);
        }),
        { numRuns: Number(process.env["CUENV_FUZZ_RUNS"] ?? 120) },
      );
    },
  );

  it.each([
    ["a here-document", "cat <<EOF\n{{v}}\nEOF"],
    ["backquotes", "echo `echo {{v}}`"],
    ["an ANSI-C string", "echo $'{{v}}'"],
    ["a place behind a dollar", "echo ${{v}}"],
    ["an expansion", 'echo "${x:-{{v}}}"'],
  ])(
    "refuses in %s a value that would need quotes, and takes one that needs none",
    (_name, script) => {
      expect(() => fillScript(script, "bash", new Map([["v", "a b"]]))).toThrow(
        /could become code/,
      );
      expect(fillScript(script, "bash", new Map([["v", "a-b"]]))).toContain("a-b");
    },
  );

  it("refuses in another language's program a value that could end a string, and takes words", () => {
    const script = 'print("{{v}}")';
    expect(fillScript(script, "python3", new Map([["v", "Hello wörld 1.0"]]))).toBe(
      'print("Hello wörld 1.0")',
    );
    expect(() => fillScript(script, "python3", new Map([["v", '"); import os; ("']]))).toThrow(
      /could become code/,
    );
  });
});
