import { describe, expect, it } from "vitest";
import type { Tree } from "../nx-api.ts";
import { takeOver } from "./take-over.ts";

function treeOf(files: Readonly<Record<string, unknown>>) {
  const texts = new Map(
    Object.entries(files).map(([path, value]) => [
      `app/${path}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  const tree: Tree = {
    root: "/ws",
    read: (path) => texts.get(path) ?? null,
    write: (path, content) => void texts.set(path, content),
    exists: (path) => texts.has(path),
    delete: (path) => void texts.delete(path),
  };
  return {
    tree,
    json: (path: string) => JSON.parse(texts.get(`app/${path}`) ?? "null") as unknown,
  };
}

describe("takeOver", () => {
  it("takes out targets that are commands of tasks, and leaves programs of Nx and what is about other projects", () => {
    const { tree, json } = treeOf({
      "project.json": {
        name: "app",
        targets: {
          build: {
            executor: "nx:run-commands",
            options: { command: "make" },
            dependsOn: ["gen", "^build"],
          },
          gen: { command: "make gen", outputs: ["x"] },
          bundle: { executor: "@nx/vite:build" },
          serve: { command: "serve", continuous: true, readyWhen: { port: 80 } },
          other: { command: "not a task" },
        },
      },
    });
    expect(takeOver(tree, "app", new Set(["build", "gen", "bundle", "serve"]))).toEqual({
      targets: ["build", "gen", "serve"],
      scripts: [],
      kept: ["build", "serve"],
      uncommented: [],
    });
    expect(json("project.json")).toEqual({
      name: "app",
      targets: {
        build: { dependsOn: ["gen", "^build"] },
        bundle: { executor: "@nx/vite:build" },
        serve: { continuous: true, readyWhen: { port: 80 } },
        other: { command: "not a task" },
      },
    });
  });

  it("keeps scripts from being targets of the same name, and all others as they are", () => {
    const scripts = { build: "tsc", dev: "vite", prepare: "husky" };
    const { tree, json } = treeOf({ "package.json": { name: "app", scripts } });
    const { scripts: taken } = takeOver(tree, "app", new Set(["build", "dev"]));
    expect(taken).toEqual(["build", "dev"]);
    expect(json("package.json")).toEqual({
      name: "app",
      scripts,
      nx: { includedScripts: ["prepare"] },
    });
  });

  it("writes nothing where there is nothing to take out", () => {
    const manifest = { name: "app", nx: { includedScripts: [], targets: { x: {} } } };
    const { tree, json } = treeOf({ "package.json": { ...manifest, scripts: { build: "tsc" } } });
    expect(takeOver(tree, "app", new Set(["build"]))).toEqual({
      targets: [],
      scripts: [],
      kept: [],
      uncommented: [],
    });
    expect(json("package.json")).toEqual({ ...manifest, scripts: { build: "tsc" } });
  });

  it("reads comments, and names the file that loses them", () => {
    const text = '{ // a library\n  "targets": {"build": {"command": "make"},},\n}';
    const { tree, json } = treeOf({ "project.json": text });
    expect(takeOver(tree, "app", new Set(["other"])).uncommented).toEqual([]);
    expect(tree.read("app/project.json", "utf-8")).toBe(text);
    const { uncommented } = takeOver(tree, "app", new Set(["build"]));
    expect(uncommented).toEqual(["app/project.json"]);
    expect(json("project.json")).toEqual({ targets: {} });
  });

  it("names a file that cannot be read", () => {
    const { tree } = treeOf({ "project.json": "{" });
    expect(() => takeOver(tree, "app", new Set())).toThrow("cannot read app/project.json: ");
  });
});
