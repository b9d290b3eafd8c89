import { describe, expect, it } from "vitest";
import { filesets, type ProjectPlace, projectPlace } from "./target-filesets.ts";

const place: ProjectPlace = { root: "packages/app", cuenvRoot: "", hasNested: false };

describe("filesets", () => {
  it.each([
    [["src/a.ts"], ["{projectRoot}/src/a.ts", "{projectRoot}/src/a.ts/**/*"]],
    [["src/"], ["{projectRoot}/src/**/*"]],
    [["src/*.ts"], ["{projectRoot}/src/*.ts"]],
    [["src/**"], ["{projectRoot}/src/**/*"]],
    [["**/*.ts"], ["{projectRoot}/**/*.ts"]],
    [["."], ["{projectRoot}/**/*"]],
    [["packages/*/src"], ["{projectRoot}/packages/*/src", "{projectRoot}/packages/*/src/**/*"]],
    [["packages/*/"], ["{projectRoot}/packages/*/**/*"]],
    [["{src,test}/**"], ["{projectRoot}/{src,test}/**/*"]],
    [["//tsconfig.json"], ["{workspaceRoot}/tsconfig.json", "{workspaceRoot}/tsconfig.json/**/*"]],
    [["//"], ["{workspaceRoot}/**/*"]],
    [["../lib/src/*.ts"], ["{workspaceRoot}/packages/lib/src/*.ts"]],
    [
      ["src/*.ts", "!src/*.test.ts"],
      ["{projectRoot}/src/*.ts", "!{projectRoot}/src/*.test.ts"],
    ],
    [["!docs"], ["{projectRoot}/**/*", "!{projectRoot}/docs", "!{projectRoot}/docs/**/*"]],
  ])("says %j as %j", (patterns, expected) => {
    expect(filesets(place, patterns)).toEqual(expected);
  });

  it("takes more than was meant where Nx' globs cannot say it, and leaves out less", () => {
    expect(filesets(place, ["app/[slug]/page.tsx"])[0]).toBe("{projectRoot}/app/*/page.tsx");
    expect(filesets(place, ["v[[:digit:]].ts"])[0]).toBe("{projectRoot}/v*.ts");
    // Folders of these names count with everything below them.
    expect(filesets(place, ["app/[id]"])).toEqual([
      "{projectRoot}/app/*",
      "{projectRoot}/app/*/**/*",
    ]);
    expect(filesets(place, ["app/(shop)"])).toEqual([
      "{projectRoot}/app/?shop?",
      "{projectRoot}/app/?shop?/**/*",
    ]);
    expect(filesets(place, ["app/(shop)/"])).toEqual(["{projectRoot}/app/?shop?/**/*"]);
    expect(filesets(place, ["app", "!app/(shop)"])).toHaveLength(2);
    // `?` is one byte to Nx: é is two.
    expect(filesets(place, ["??/a.ts", "!src/??.ts"])).toEqual([
      "{projectRoot}/*/a.ts",
      "{projectRoot}/*/a.ts/**/*",
    ]);
    expect(filesets(place, ["src", "!src/[a-z].ts"])).toHaveLength(2);
  });

  it("speaks of the workspace's files where other projects lie below, whose files are not the project's in Nx", () => {
    const nested = { ...place, hasNested: true };
    expect(filesets(nested, ["**"])).toEqual(["{workspaceRoot}/packages/app/**/*"]);
    const root = { root: ".", cuenvRoot: "", hasNested: false };
    expect(filesets(root, ["src/*.ts", "."])).toEqual([
      "{workspaceRoot}/src/*.ts",
      "{workspaceRoot}/**/*",
    ]);
  });

  it("knows cuenv's workspace root from Nx', and what lies outside of that", () => {
    const at = (directory: string, workspaceRoot: string) =>
      projectPlace("/ws", { directory, workspaceRoot }, () => false);
    const inner = at("/ws/cue/app", "/ws/cue");
    expect(filesets(inner, ["//x.json"])[0]).toBe("{workspaceRoot}/cue/x.json");
    const outer = at("/ws/app", "/");
    expect(filesets(outer, ["//x.json", "src/*"])).toEqual([undefined, "{projectRoot}/src/*"]);
    expect(at("/ws", "/ws")).toEqual({ root: ".", cuenvRoot: "", hasNested: false });
  });
});
