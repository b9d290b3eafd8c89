import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readPluginOptions } from "./plugin-options.ts";

const own = fileURLToPath(new URL("..", import.meta.url));

interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly properties: Readonly<
    Record<string, { readonly description?: string; readonly examples?: readonly unknown[] }>
  >;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(`${own}/${path}`, "utf8"));
}

describe("the schemas of the plugin", () => {
  it.each(readdirSync(`${own}/schema`))("%s describes every option, with an example", (file) => {
    const { title, description, properties } = readJson(`schema/${file}`) as Schema;
    expect([title, description]).toEqual([expect.any(String), expect.any(String)]);
    for (const [name, option] of Object.entries(properties)) {
      expect(option.description, name).toMatch(/\.$/);
      expect(option.examples, name).not.toHaveLength(0);
      expect(option.examples, name).toBeDefined();
    }
  });

  it("have the options that the plugin reads, with values that it takes", () => {
    const { properties } = readJson("schema/plugin-options.schema.json") as Schema;
    for (const [name, { examples = [] }] of Object.entries(properties))
      for (const example of examples)
        expect(readPluginOptions({ [name]: example })).toEqual({ [name]: example });
    expect(() => readPluginOptions({ none: 1 })).toThrow(
      `there are ${Object.keys(properties).join(", ")}`,
    );
  });

  it("and programs that executors and generators name are there", () => {
    const named = [
      ...Object.values(
        (readJson("executors.json") as { executors: Record<string, Named> }).executors,
      ),
      ...Object.values(
        (readJson("generators.json") as { generators: Record<string, Named> }).generators,
      ),
    ];
    for (const { schema, implementation, factory, description } of named) {
      const program = (implementation ?? factory ?? "").replace("dist/", "src/");
      expect(existsSync(`${own}/${schema}`), schema).toBe(true);
      expect(existsSync(`${own}/${program.replace(/\.js$/, ".ts")}`), program).toBe(true);
      expect(description).toMatch(/\w/);
    }
    expect(named).toHaveLength(3);
  });
});

interface Named {
  readonly schema: string;
  readonly implementation?: string;
  readonly factory?: string;
  readonly description: string;
}
