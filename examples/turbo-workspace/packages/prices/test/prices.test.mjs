import assert from "node:assert/strict";
import { test } from "node:test";
import { inCurrency } from "../dist/index.mjs";

await test("amounts are converted", () => {
  assert.equal(inCurrency(10, "CHF"), "9.40");
  assert.throws(() => inCurrency(1, "XYZ"), /no rate for XYZ/);
});
