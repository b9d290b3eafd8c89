import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { installedNx } from "./nx-install.mjs";
import { makeNxWorkspace } from "./nx-workspace.ts";

const example = fileURLToPath(new URL("../../examples/nx-workspace", import.meta.url));
let modules = "";
beforeAll(async () => {
  modules = await installedNx(24);
}, 300_000);

/** What is committed of the example. */
function exampleFiles(): Record<string, string> {
  const entries = readdirSync(example, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\/(?:node_modules|\.nx|dist|generated)\//.test(path));
  return Object.fromEntries(
    entries.map((path) => [relative(example, path), readFileSync(path, "utf8")]),
  );
}

it(
  "examples/nx-workspace builds, hits, has environments, parameters, a group and a sequence",
  { timeout: 120_000 },
  async () => {
    const files = exampleFiles();
    const workspace = makeNxWorkspace({ modules, files });
    const run = async (...args: readonly string[]): Promise<string> => {
      const { code, output } = await workspace.nx([...args, "--output-style=static"]);
      expect(code, output).toBe(0);
      return output;
    };
    const first = await run("run-many", "-t", "build", "show", "check", "release");
    for (const text of [
      "built prices",
      "built a list in EUR",
      "built site",
      "apples 2.50 EUR",
      "released",
    ])
      expect(first).toContain(text);
    expect(await run("run", "shop:build:switzerland")).toContain("built a list in CHF");
    expect(await run("run", "shop:show", "--line=2")).toMatch(/^pears 3\.00 EUR$/m);
    // Another output of the generated file is another input of the list, two projects away.
    workspace.write("packages/prices/rates.json", '{ "EUR": 2 }');
    await run("run", "shop:build");
    expect(workspace.read("packages/shop/dist/list.txt")).toContain("apples 5.00 EUR");
    await run("run", "shop:build");
    expect(new Set(Object.values(workspace.cacheStatus()))).toEqual(new Set(["local-cache-hit"]));
  },
);
