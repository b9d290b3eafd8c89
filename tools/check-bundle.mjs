// Builds the command and holds it to what its speed and its package rest on: a small entry, nothing imported
// that the package does not bring, every file it names at run time beside it.
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { parseAst } from "rolldown/parseAst";
import { ensureBuilt } from "./build-cli.mjs";
import { report, root } from "./workspace.mjs";

/** What a start reads and compiles at least; 0.1 s were measured for an eager bundle of everything. */
const maxEntryBytes = 50_000;
const minEagerFunctions = 200;
const app = join(root, "apps", "cli");
const dist = join(app, "dist");
/** By file: what {@link staticImports} found in it. */
const imports = new Map();

if (existsSync(join(app, "src", "main.ts"))) {
  await ensureBuilt();
  const scripts = readdirSync(dist).filter(isScript);
  report([
    ...entryProblems(),
    ...scripts.flatMap(importProblems),
    ...scripts.flatMap(circleProblems),
    ...hitPathProblems(scripts),
  ]);
} else {
  process.stderr.write("apps/cli/src/main.ts is not there: NO command was built or checked\n");
  process.exitCode = 77;
}

/** The entry with everything it imports statically, for that is loaded before its first line runs. */
function entryProblems() {
  const loaded = loadedBefore("main.js");
  const bytes = [...loaded].reduce((sum, file) => sum + statSync(join(dist, file)).size, 0);
  if (bytes <= maxEntryBytes) return [];
  const sizes = [...loaded]
    .map((file) => `${file} (${statSync(join(dist, file)).size})`)
    .join(", ");
  return [`a start of the command loads ${bytes} bytes, more than ${maxEntryBytes}: ${sizes}`];
}

/** What a run of hits calls must be compiled when it is loaded (tools/eager-functions.mjs): some 500 functions when this was written. */
function hitPathProblems(scripts) {
  const chunk = scripts.find((name) => name.startsWith("hit-path-"));
  if (chunk === undefined) return ["dist has no chunk for a run of hits"];
  const eager = text(chunk).match(/\((?:async )?function\b/g)?.length ?? 0;
  if (eager >= minEagerFunctions) return [];
  return [
    `dist/${chunk}: ${eager} functions are compiled when it is loaded, less than ${minEagerFunctions}: could the command not be run during the build?`,
  ];
}

/** Functions of a chunk are variables: who is loaded before it, in a circle, would find them undefined. */
function circleProblems(file) {
  return [...loadedBefore(file)]
    .filter((other) => other !== file && staticImports(other).includes(`./${file}`))
    .map((other) => `dist/${file} and dist/${other} are loaded in a circle`);
}

/** The file and all that it imports statically, directly or not. */
function loadedBefore(file) {
  const loaded = new Set([file]);
  for (const each of loaded)
    for (const name of staticImports(each)) if (name.startsWith("./")) loaded.add(name.slice(2));
  return loaded;
}

function importProblems(file) {
  const manifest = JSON.parse(readFileSync(join(app, "package.json"), "utf8"));
  const brought = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  const foreign = [...staticImports(file), ...dynamicImports(file)].filter((name) => {
    const owner = name
      .split("/")
      .slice(0, name.startsWith("@") ? 2 : 1)
      .join("/");
    return (
      !name.startsWith("./") &&
      !name.startsWith("node:") &&
      !builtinModules.includes(name) &&
      !brought.includes(owner)
    );
  });
  const urls = [...text(file).matchAll(/new URL\(["`]([^"`:$]+)["`],\s*import\.meta\.url\)/g)].map(
    (match) => match[1],
  );
  return [
    ...foreign.map(
      (name) => `dist/${file}: imports ${name}, which is no dependency of the package`,
    ),
    ...urls
      .filter((url) => !existsSync(join(dist, url)))
      .map((url) => `dist/${file}: names ${url}, which is not there`),
  ];
}

function staticImports(file) {
  let names = imports.get(file);
  if (names === undefined) {
    const { body } = parseAst(text(file));
    imports.set(file, (names = body.flatMap(({ source }) => (source ? [source.value] : []))));
  }
  return names;
}

/** `import(…)` and what is required, both at run time. */
function dynamicImports(file) {
  const patterns = [
    /\bimport\(["`]([^"`$]+)["`]\)/g,
    /createRequire\(import\.meta\.url\)(?:\.resolve)?\(["`]([^"`$]+)["`]\)/g,
  ];
  return patterns.flatMap((pattern) => [...text(file).matchAll(pattern)].map((match) => match[1]));
}

function text(file) {
  return readFileSync(join(dist, file), "utf8");
}

function isScript(name) {
  return name.endsWith(".js");
}
