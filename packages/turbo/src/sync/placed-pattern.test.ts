import { describe, expect, it } from "vitest";
import { isNameToCuenvOnly, sayable, turboPattern } from "./placed-pattern.ts";

const web = { path: "packages/web" };

describe("a pattern in turbo.json", () => {
  it.each([
    ["packages/web/src", "src"],
    ["packages/lib/src", "$TURBO_ROOT$/packages/lib/src"],
    [".", "$TURBO_ROOT$/**"],
    ["packages/web/app/(shop)/*.ts", "app/[(]shop[)]/*.ts"],
    ["packages/web/{a,b}/c,d", "{a,b}/c[,]d"],
    ["packages/web/<x>/$y", "[<]x[>]/[$]y"],
    ["packages/web/{a}/{b,(c)}", "[{]a[}]/{b,[(]c[)]}"],
    // Turbo mends a colon itself, and breaks on one in brackets.
    ["packages/web/a:b", "a:b"],
    ["packages/(lib)/src", "$TURBO_ROOT$/packages/[(]lib[)]/src"],
  ])("of %s is %s", (placed, expected) => {
    expect(turboPattern(web, placed)).toBe(expected);
  });

  it("that turbo takes for a glob may be a folder's name to cuenv", () => {
    for (const name of [
      "app/(shop)",
      "app/[id]",
      "(shop)/",
      "a,b",
      "a:b",
      "$x",
      "{a}",
      "{a,*.ts}",
      "{a,b/*.c}",
      "*/",
      "src/a*/",
      "packages/*/src",
      "//packages/*/src/",
      "**/dist",
      "src/{a,b}/c",
      "app/[id]/lib",
      "app/(shop)/page.tsx",
    ])
      expect(isNameToCuenvOnly(name), name).toBe(true);
    for (const name of [
      "app",
      "packages/lib/src",
      "packages/*/*.ts",
      "src/*.ts",
      "src/**",
      "src/**/",
      "src/",
      "*.{ts,tsx}",
      "{a,b}/*",
    ])
      expect(isNameToCuenvOnly(name), name).toBe(false);
  });

  it.each([
    ["index{,.d}.ts", ["index.ts", "index.d.ts"]],
    ["!src/{a/,}x.ts", ["!src/a/x.ts", "!src/x.ts"]],
    ["src{,/{a,b}}/*.ts", ["src/*.ts", "src/a/*.ts", "src/b/*.ts"]],
    ["src/***/*.ts", ["src/*/*.ts"]],
    ["{src,test/unit}/*.{ts,tsx}", ["{src,test/unit}/*.{ts,tsx}"]],
  ])("of %s, which turbo cannot read or can, is %j", (pattern, expected) => {
    expect(sayable(pattern)).toEqual(expected);
  });

  it("is none where a brace is not closed", () => {
    expect(() => sayable("src/{a,b")).toThrow(
      expect.objectContaining({ code: "KEY_GLOB_INVALID" }),
    );
  });
});
