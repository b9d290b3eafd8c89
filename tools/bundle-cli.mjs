import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import { rolldown } from "rolldown";
import { eagerFunctions } from "./eager-functions.mjs";
import { profileCli } from "./profile-cli.mjs";

/**
 * Bundles the command into `folder`, flat: main.js, content-named chunks, workers, assets. `buildId` names the sources; `scratch` is an empty folder, in which it is
 * run once to see which functions are called. Throws on a warning.
 */
export async function bundleCli(app, folder, buildId, scratch) {
  const bundle = await open(app, buildId, { main: join(app, "src", "main.ts") });
  // Bundles of their own: a thread shares no module with the command, and what both contain would be chunks that every command loads.
  const packages = join(app, "..", "..", "packages");
  const threads = await Promise.all([
    open(app, buildId, {
      "evaluator-worker": join(packages, "cue", "src", "evaluator-worker.ts"),
    }),
    open(app, buildId, { "staging-worker": join(packages, "cas", "src", "staging-worker.ts") }),
  ]);
  try {
    const { output } = await bundle.generate(format);
    const chunkOf = chunkNames(app, output);
    const codeSplitting = {
      includeDependenciesRecursively: false,
      groups: [{ name: (id) => chunkOf.get(id) ?? null, debugName: "what is loaded together" }],
    };
    for (const thread of threads) await thread.write({ ...format, dir: join(scratch, "dist") });
    const called = await calledFunctions(bundle, app, scratch, { ...format, codeSplitting });
    const published = {
      ...format,
      dir: folder,
      sourcemap: true,
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    };
    for (const thread of threads) await thread.write({ ...published, plugins: [asciiOnly()] });
    await bundle.write({
      ...published,
      codeSplitting,
      plugins: [compiledAtLoad(called), asciiOnly()],
    });
  } catch (error) {
    // The bundler's own error carries each problem twice, coloured, and its stack.
    const found = stripVTControlCharacters(error.message);
    throw new Error(`cannot bundle the command: ${found}`, { cause: error });
  } finally {
    await Promise.all([bundle, ...threads].map((each) => each.close()));
  }
}

const format = {
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name]-[hash].js",
  assetFileNames: "[name]-[hash][extname]",
};

async function open(app, buildId, input) {
  const manifest = JSON.parse(readFileSync(join(app, "package.json"), "utf8"));
  // Workspace packages are bundled, also those that are dependencies: @cuenv/cue is one for its files (the
  // evaluator, the schema), which its code finds by the package's name.
  const external = Object.keys({
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
  }).filter((name) => !name.startsWith("@cuenv/"));
  return rolldown({
    input,
    platform: "node",
    preserveEntrySignatures: "allow-extension",
    external: external.map((name) => new RegExp(`^${name}(/|$)`)),
    resolve: {
      conditionNames: ["@cuenv/source", "node", "import", "default"],
      // jsonc-parser has its modules there only; what it calls main is bundled by no bundler.
      mainFields: ["module", "main"],
    },
    plugins: [fileUrls(), builtinModules()],
    transform: { define: { CUENV_BUILD_ID: JSON.stringify(buildId) } },
    onLog(_level, log) {
      throw new Error(log.message);
    },
  });
}

/**
 * By module: in which chunk it is to be, for those that are loaded together: loading a module takes 0.4 ms however small it is, and the bundler by itself makes thirty of what
 * `cuenv task` needs for a run of hits, one for each set of commands that share some. What every command needs is in main.js itself (it takes in the group that it is in);
 * what a run of hits needs besides is one chunk, so that `--version` does not load it, and what a dry run needs besides that is one more. `output` is a bundle without these: only it knows which modules are used.
 */
function chunkNames(app, output) {
  const chunks = new Map(output.map((file) => [file.fileName, file]));
  const modulesOf = (...source) => {
    const entry = output.find((file) => file.facadeModuleId === join(app, ...source));
    if (entry === undefined) throw new Error(`cannot bundle the command: no ${source.join("/")}`);
    const found = new Set([entry.fileName]);
    for (const name of found)
      for (const imported of chunks.get(name)?.imports ?? []) found.add(imported);
    return [...found].flatMap((name) => chunks.get(name)?.moduleIds ?? []);
  };
  const names = new Map(modulesOf("src", "commands", "dry-run.ts").map((id) => [id, "dry-run"]));
  for (const id of modulesOf("src", "commands", "task.ts")) names.set(id, "hit-path");
  for (const id of modulesOf("src", "main.ts")) names.set(id, "start");
  return names;
}

/**
 * Of each chunk, by the modules that it is made of, its code and where in it the functions begin that are called in a run of hits. A command that fails is built all the same,
 * for whoever works on it: then every function is compiled when it is first called (which tools/check-bundle.mjs does not accept).
 */
async function calledFunctions(bundle, app, scratch, split) {
  const plain = { ...split, dir: join(scratch, "dist"), minify: false };
  const { output } = await bundle.write(plain);
  try {
    const starts = await profileCli(app, scratch);
    const chunks = output.filter(({ fileName }) => starts.has(fileName));
    return new Map(
      chunks.map((chunk) => [
        chunk.moduleIds.join("\n"),
        { code: chunk.code, starts: starts.get(chunk.fileName) },
      ]),
    );
  } catch (error) {
    process.stderr.write(`cannot see which functions the command calls: ${error.message}\n`);
    return new Map();
  }
}

/** Has the functions that are called compiled with the module. `called` is of {@link calledFunctions}. */
function compiledAtLoad(called) {
  return {
    name: "compiled-at-load",
    renderChunk(code, { moduleIds, fileName }) {
      const chunk = called.get(moduleIds.join("\n"));
      if (chunk === undefined) return null;
      // The same text but for the names of chunks, which have placeholders here: what is said of places in one holds in the other.
      if (chunk.code.length !== code.length)
        throw new Error(
          `${fileName}: other code than what was run (${code.length} and ${chunk.code.length} characters)`,
        );
      const starts = [...chunk.starts];
      const text = eagerFunctions(code, (from, to) => starts.some((at) => at >= from && at < to));
      if (text === undefined) return null;
      return { code: text.toString(), map: text.generateMap({ hires: "boundary" }).toString() };
    },
  };
}

const fileUrl = /new URL\(\s*(["'])(\.[^"']+)\1,\s*import\.meta\.url,?\s*\)/g;

/**
 * Takes along what code of ours finds through `new URL("./x", import.meta.url)`: a module (a worker's
 * entry) becomes a chunk, any other file an asset, both beside the chunk that names them. A module may be
 * named by its source (`./worker.ts`) or by what tsc makes of it (`./worker.js`).
 */
function fileUrls() {
  return {
    name: "file-urls",
    transform(code, id) {
      if (!id.endsWith(".ts") || !code.includes("import.meta.url")) return null;
      const replaced = code.replace(fileUrl, (whole, _quote, specifier) => {
        const path = join(dirname(id), specifier);
        const source = [path, path.replace(/\.js$/, ".ts")].find((file) => existsSync(file));
        if (source === undefined) {
          throw new Error(`cannot bundle ${id}: ${whole} names a file that is not there`);
        }
        const emitted = source.endsWith(".ts")
          ? this.emitFile({ type: "chunk", id: source, name: basename(source, ".ts") })
          : this.emitFile({ type: "asset", name: basename(source), source: readFileSync(source) });
        return `new URL(import.meta.ROLLUP_FILE_URL_${emitted})`;
      });
      return replaced === code ? null : { code: replaced, map: null };
    },
  };
}

const builtinImport = /^import (?:(\w+)|\* as (\w+)|\{ ([^}]*) \}) from "(node:[\w/]+)";$/gm;

/**
 * Takes Node's own modules from `process.getBuiltinModule`. For an import Node makes a module of all that `node:fs` or `node:crypto` export, and
 * loads for it what nobody asked for (streams, web crypto): 5 ms of a run that takes 100. What other forms of import there are stays as it is.
 */
function builtinModules() {
  return {
    name: "builtin-modules",
    renderChunk(code) {
      const replaced = code.replace(builtinImport, (_whole, whole, space, names, id) => {
        const target = whole ?? space ?? `{ ${names.replaceAll(" as ", ": ")} }`;
        // It is global by this name; a constant of that name would hide it from its own initializer.
        if (id === "node:process" && target === "process") return "";
        return `const ${target} = process.getBuiltinModule("${id}");`;
      });
      return replaced === code ? null : { code: replaced, map: null };
    },
  };
}

/**
 * One character beyond Latin-1 makes V8 hold and scan the whole text in two bytes for each. With that and the white space the chunk of a run of hits is
 * 983 kB in memory instead of 348, and a run of five tasks takes 2 to 3 % longer. Names stay, for who reads a stack.
 */
function asciiOnly() {
  const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return {
    name: "ascii-only",
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        // In strings, templates and patterns, the only places where code has such characters; String.raw is not used with any.
        if (file.type !== "chunk") continue;
        if (/\\[^\0-\x7f]/.test(file.code))
          throw new Error(`${file.fileName}: a backslash before a character beyond ASCII`);
        file.code = file.code.replaceAll(/[^\0-\x7f]/g, escaped);
      }
    },
  };
}
