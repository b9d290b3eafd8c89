import { Script } from "node:vm";
import { describe, expect, test } from "vitest";
import { eagerFunctions } from "./eager-functions.mjs";

function eager(code: string, isWanted: (start: number, end: number) => boolean = () => true) {
  return eagerFunctions(code, isWanted)?.toString() ?? code;
}

/** The value of the last expression. */
function valueOf(code: string): unknown {
  return new Script(code).runInNewContext();
}

describe("a module whose functions are compiled with it", () => {
  const programs = {
    "calls a function above its declaration":
      "const it = twice(2); function twice(x) { return 2 * x; } it",
    "calls one of a function's own above its declaration":
      "function outer(x) { return inner(x); function inner(y) { return y + 1; } } outer(1)",
    "names its functions":
      "function f() {} const g = () => 1; [f.name, g.name, { m() {} }.m.name].join()",
    "keeps what is strict":
      'function f() { "use strict"; return g(); function g() { return this; } } f()',
    "has generators and asynchronous functions":
      "function* f() { yield 1; } const o = { async m() { return 1; }, *g() { yield 2; } }; [...f(), ...o.g(), o.m() instanceof Promise].join()",
    "uses super":
      "const base = { m() { return 1; } }; const o = { __proto__: base, m() { return super.m() + 1; } }; o.m()",
    "has accessors, classes and computed names":
      'class A { #x = 1; get x() { return this.#x; } static s() { return 3; } } const o = { get y() { return 2; }, ["z"]() { return 4; } }; [new A(), A].map((a) => a.x).concat(A.s(), o.y, o.z()).join()',
    "declares functions in blocks":
      "let it = 0; { it = f(); function f() { return 7; } } if (it) { function g() { return 1; } it += g(); } [it].map((x) => x + 1)[0]",
    "calls itself": "function f(n) { return n === 0 ? 1 : n * f(n - 1); } f(5)",
    "has functions in the defaults of parameters":
      "function f(x = () => 1, y = function () { return 2; }) { return x() + y(); } f()",
    "returns functions from functions": "const f = (x) => (y) => (z) => x + y + z; f(1)(2)(3)",
  };
  test.each(Object.entries(programs))("that %s gives the same", (_name, code) => {
    const changed = eager(code);
    expect(changed).not.toBe(code);
    expect(valueOf(changed)).toStrictEqual(valueOf(code));
  });

  test("keeps what it exports by name and by default, and its imports first", () => {
    const changed = eager(
      'import x from "node:fs";\nexport function a() {}\nfunction b() {}\nexport default function c() {}\nexport { b };',
    );
    expect(changed).toMatch(/^import x from "node:fs";\nvar b = \(function \(\) \{\}\);/);
    expect(changed).toContain("export function a() {}");
    expect(changed).toContain("export default function c() {}");
  });

  test("holds their code from the start: V8 stores it with the module", () => {
    const body =
      "let s = 'x' + q; for (let i = 0; i < 3; i += 1) s = s.replace('a', 'b' + i); return s;";
    const code = `const q = 1; function f() { ${body} } const o = { m() { ${body} }, a: () => { ${body} } };`;
    const size = (text: string): number => new Script(text).createCachedData().length;
    expect(size(eager(code))).toBeGreaterThan(size(code) + 600);
  });

  test("leaves alone what is not called, and is undefined when nothing is", () => {
    const code = "function used() {} function unused() {}";
    const changed = eager(code, (start, end) => start <= 0 && 0 < end);
    expect(changed).toContain("var used = (function () {});");
    expect(changed).toContain("function unused() {}");
    expect(eagerFunctions(code, () => false)).toBeUndefined();
  });

  test("leaves asynchronous arrow functions and methods of classes alone", () => {
    const code = "const f = async () => 1; class A { m() {} }";
    expect(eager(code)).toBe(code);
  });
});
