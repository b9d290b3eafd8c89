import { chmodSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { counting } from "./sandbox.ts";
import { cacheConfig, config, makeGen, type Mutation, task, writes } from "./why-project.ts";

/** Changes of files, of how they are declared, and of what dependencies make of them. */
export const fileMutations: readonly Mutation[] = [
  // Files.
  ["a file changed", "file", "test/one.txt changed", writes("test/one.txt", "other\n")],
  [
    "a file changed, of the same size",
    "file",
    "test/one.txt changed",
    writes("test/one.txt", "9\n"),
  ],
  ["a file added", "file", "test/three.txt added", writes("test/three.txt", "3\n")],
  [
    "a file added in a new folder",
    "file",
    "test/deep/er/x.txt added",
    writes("test/deep/er/x.txt", ""),
  ],
  ["a file removed", "file", "test/two.txt removed", (p) => p.remove("test/two.txt")],
  [
    "a file renamed",
    "file",
    "test/two.txt renamed to test/zwei.txt",
    (p) => renameSync(p.path("test/two.txt"), p.path("test/zwei.txt")),
  ],
  [
    "a file moved to another folder",
    "file",
    "test/two.txt renamed to test/sub/two.txt",
    (p) => {
      mkdirSync(p.path("test/sub"));
      renameSync(p.path("test/two.txt"), p.path("test/sub/two.txt"));
    },
  ],
  [
    "a file made executable",
    "file",
    "test/one.txt changed: executable now",
    (p) => chmodSync(p.path("test/one.txt"), 0o755),
  ],
  [
    "the target of a link",
    "file",
    "test/link changed: link to one.txt → two.txt",
    (p) => {
      p.remove("test/link");
      symlinkSync("two.txt", p.path("test/link"));
    },
  ],
  [
    "a link in the place of a file",
    "file",
    "test/two.txt changed: a link now",
    (p) => {
      p.remove("test/two.txt");
      symlinkSync("one.txt", p.path("test/two.txt"));
    },
  ],
  [
    "a file in the place of a link",
    "file",
    "test/link changed: no link any more",
    (p) => {
      p.remove("test/link");
      p.write("test/link", "1\n");
    },
  ],
  [
    "a file with a strange name",
    "file",
    "test/ü b's\u202f.txt added",
    writes("test/ü b's\u202f.txt", ""),
  ],
  [
    "several files",
    "file",
    "4 inputs changed: test/one.txt, test/three.txt, test/two.txt, …",
    (p) => {
      for (const name of ["one", "two", "three"]) p.write(`test/${name}.txt`, "all\n");
      p.remove("test/link");
    },
  ],
  [
    "a file that is git's to ignore now",
    "file",
    "test/two.txt is no input any more",
    writes(".gitignore", "ignored/\ntest/two.txt\n"),
  ],
  ["an extra input", "file", "data.json changed", writes("data.json", "[]\n")],
  [
    "the default inputs: any file of the project",
    "file",
    "packages/lib/x.txt changed",
    (p) => {
      p.write("packages/lib/x.txt", "y\n");
      return { task: "all" };
    },
  ],
  // How files are declared.
  [
    "the inputs declared",
    "inputs",
    "declared inputs changed: test/** → test/*.txt",
    task("test", { inputs: ["test/*.txt"] }),
  ],
  [
    "an extra input declared",
    "inputs",
    "declared inputs changed: extra tool added",
    cacheConfig({ extraInputs: ["data.json", "tool"] }),
  ],
  [
    "an ignored input declared",
    "inputs",
    "declared inputs changed: ignore test/two.txt added",
    cacheConfig({ ignoreInputs: ["test/two.txt", "test/*.md"] }),
  ],
  [
    "an input not ignored any more",
    "inputs",
    "declared inputs changed: ignore test/*.md removed",
    cacheConfig({ ignoreInputs: [] }),
  ],
  // Dependencies.
  [
    "an output of a dependency",
    "dependencyOutput",
    "2 outputs of gen changed: gen/all.txt, gen/size.txt",
    async (p) => {
      p.write("src/a.txt", "more\n");
      await p.cuenv(["task", "gen"]);
    },
  ],
  [
    "one output of a dependency",
    "dependencyOutput",
    "output of gen gen/all.txt changed",
    async (p) => {
      p.write("src/a.txt", "z\n");
      await p.cuenv(["task", "gen"]);
    },
  ],
  [
    "a dependency that makes another file",
    "dependencyOutput",
    "output of gen gen/new.txt added",
    async (p) => {
      p.write("env.cue", config({ gen: counting("gen", `${makeGen}; touch gen/new.txt`) }));
      await p.cuenv(["task", "gen"]);
    },
  ],
  [
    "a dependency without outputs",
    "dependency",
    "dependency lint changed",
    writes("lint/rules.json", "[]\n"),
  ],
  [
    "a dependency added",
    "dependency",
    "dependency argv added",
    task("test", { dependencies: ["gen", "lint", "argv"] }),
  ],
  [
    "a dependency removed",
    "dependency",
    "dependency lint removed",
    task("test", { dependencies: ["gen"] }),
  ],
  [
    "a dependency with outputs removed",
    "dependencyOutput",
    /^3 outputs of gen removed: gen, /,
    task("test", { dependencies: ["lint"] }),
  ],
  [
    "an empty folder that a dependency makes",
    "dependencyOutput",
    "output of gen gen/void added",
    async (p) => {
      p.write("env.cue", config({ gen: counting("gen", `${makeGen}; mkdir gen/void`) }));
      await p.cuenv(["task", "gen"]);
    },
  ],
  [
    "an output of a dependency that is executable now",
    "dependencyOutput",
    "output of gen gen/all.txt changed",
    async (p) => {
      p.write("env.cue", config({ gen: counting("gen", `${makeGen}; chmod +x gen/all.txt`) }));
      await p.cuenv(["task", "gen"]);
    },
  ],
];
