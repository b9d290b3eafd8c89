import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { array, assert, boolean, constantFrom, property, tuple } from "fast-check";
import { expect, it } from "vitest";
import { compilePatterns, matchesSet } from "../../packages/key/src/index.ts";
import {
  excludedFilesets,
  includedFilesets,
} from "../../packages/nx/src/inference/target-filesets.ts";
import { temporaryFolder } from "../e2e/sandbox.ts";
import { isFull } from "./in-full.ts";
import { installedNx } from "./nx-install.mjs";

/** Of Nx' own addon, which hashes by the same globs. */
interface Native {
  readonly WorkspaceContext: new (
    root: string,
    cache: string,
  ) => { readonly glob: (globs: readonly string[]) => readonly string[] };
}

const names = ["a", "b", "ab", "a.ts", "b.test.ts", ".hid", "a-b", "a b", "é"];
const oddNames = ["(g)", "[id]", "[...s]", "x(y)z", "a+b", "@x", "!n", "a,b", "{c}"];
const globs = [
  "*",
  "**",
  "*.ts",
  "a*",
  "*b",
  ".*",
  "?",
  "??",
  "{a,b}",
  "{a,b}.ts",
  "{a,(g)}",
  "{a,*.ts}",
  "{a/b,ab}",
  "{ab,a/*}",
  "{*.ts,a/b}",
];
const classes = ["[ab]", "[!a]", "[a-c]*", "[[:alpha:]]"];
const segment = constantFrom(...names, ...oddNames, ...globs, ...classes);
const pattern = tuple(array(segment, { minLength: 1, maxLength: 3 }), boolean()).map(
  ([segments, isFolder]) => segments.join("/") + (isFolder ? "/" : ""),
);

/** Every name as a folder and as a file, up to three deep. */
function files(): readonly string[] {
  const all = [...names, ...oddNames];
  return all.flatMap((first, index) => {
    const second = all[(index * 5 + 3) % all.length] ?? "";
    const third = all[(index * 7 + 1) % all.length] ?? "";
    return [
      `${first}.d/${second}`,
      ...all.map((last) => `${first}/${last}${last === second ? `/${third}` : ""}`),
    ];
  });
}

it.each(isFull ? ([22, 23, 24] as const) : ([24] as const))(
  "inputs match in Nx %i at least what they match in cuenv, and leave out no more",
  async (major) => {
    const load = createRequire(import.meta.url);
    const native = join(await installedNx(major), "nx", "dist", "src", "native", "index.js");
    const { WorkspaceContext } = load(native) as Native;
    const root = temporaryFolder();
    const own = files();
    for (const file of own) {
      mkdirSync(dirname(join(root, "p", file)), { recursive: true });
      writeFileSync(join(root, "p", file), "");
    }
    const context = new WorkspaceContext(root, temporaryFolder());
    const place = { root: "p", cuenvRoot: "", hasNested: false };
    const inNx = (filesets: readonly (string | undefined)[]): ReadonlySet<string> =>
      new Set(context.glob(filesets.map((each) => String(each).replace("{projectRoot}", "p"))));
    expect(inNx(["{projectRoot}/**/*"]).size).toBe(own.length);
    assert(
      property(pattern, (text) => {
        // `!n` at the beginning is an exception, and `@(…)` no pattern.
        if (text.startsWith("!")) return;
        const set = compilePatterns([text], "");
        const matched = new Set(
          own.filter((file) => matchesSet(set, file)).map((file) => `p/${file}`),
        );
        const included = inNx(includedFilesets(place, text));
        expect([...matched].filter((file) => !included.has(file))).toEqual([]);
        const left = excludedFilesets(place, text).map((each) => each.slice(1));
        const excluded = left.length === 0 ? [] : [...inNx(left)];
        expect(excluded.filter((file) => !matched.has(file))).toEqual([]);
      }),
      { numRuns: isFull ? 5000 : 200 },
    );
  },
  300_000,
);
