// What a user of the built library relies on: tested on dist and on the bundles, not on the sources.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as bundled from "../bundle/zod.js";
import * as mini from "../bundle/mini.js";
import * as built from "../dist/index.js";

for (const [name, { z }] of Object.entries({ built, bundled })) {
  test(`${name}: accepts what a schema describes and keeps its type`, () => {
    const User = z.object({ name: z.string().min(1), age: z.number().int().nonnegative() });
    assert.deepEqual(User.parse({ name: "Ada", age: 36 }), { name: "Ada", age: 36 });
  });

  test(`${name}: says where a value is wrong`, () => {
    const List = z.object({ items: z.array(z.number()) });
    const result = List.safeParse({ items: [1, "two", 3] });
    assert.equal(result.success, false);
    assert.deepEqual(result.error.issues[0].path, ["items", 1]);
    assert.equal(result.error.issues[0].message, "Invalid input: expected number, received string");
  });

  test(`${name}: drops fields that a schema does not know`, () => {
    assert.deepEqual(z.object({ a: z.string() }).parse({ a: "x", b: 1 }), { a: "x" });
  });

  test(`${name}: a recursive schema describes a tree`, () => {
    const Tree = z.object({
      value: z.number(),
      get children() {
        return z.array(Tree);
      },
    });
    const tree = { value: 1, children: [{ value: 2, children: [] }] };
    assert.deepEqual(Tree.parse(tree), tree);
    assert.equal(Tree.safeParse({ value: 1, children: [{ value: "2" }] }).success, false);
  });

  test(`${name}: transforms and pipes`, () => {
    const Port = z.string().transform(Number).pipe(z.number().int().max(65_535));
    assert.equal(Port.parse("8080"), 8080);
    assert.equal(Port.safeParse("80800").success, false);
  });
}

test("mini: checks are functions", () => {
  const Name = mini.string().check(mini.minLength(2));
  assert.equal(mini.safeParse(Name, "x").success, false);
  assert.equal(mini.parse(Name, "xy"), "xy");
});
