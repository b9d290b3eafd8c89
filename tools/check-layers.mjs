// Holds the package graph to the table of levels (ARCHITECTURE.md): a source file imports only packages of a
// lower level, only those its manifest declares, only through their `exports`, and never reaches out of its own src.
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { filesBelow, report, root, workspacePackages } from "./workspace.mjs";

/** Lowest first. Packages in one row do not know each other. The three packages of level 0 build on one another. */
const levels = [
  ["@cuenv/errors"],
  ["@cuenv/digest"],
  ["@cuenv/reapi"],
  ["@cuenv/config", "@cuenv/key", "@cuenv/cas", "@cuenv/signer", "@cuenv/cue"],
  ["@cuenv/action-cache"],
  ["@cuenv/cache", "@cuenv/runner", "@cuenv/remote", "@cuenv/server", "@cuenv/storage-s3"],
  ["@cuenv/nx", "@cuenv/turbo"],
  ["cuenv", "@cuenv/dashboard"],
];
/** What a package starts as a process of its own, and imports nothing of: the plugin of Nx runs the command. */
const started = new Map([["@cuenv/nx", ["cuenv"]]]);
const levelOf = new Map(levels.flatMap((names, level) => names.map((name) => [name, level])));
const packages = workspacePackages();
const manifestOf = new Map(packages.map(({ manifest }) => [manifest.name, manifest]));
const statement =
  /(?:^|[;\s])(?:import|export)\s+(?:type\s+)?[^"'`;()]*?from\s*["']([^"']+)["']|\bimport\s*\(\s*["']([^"']+)["']|^\s*import\s+["']([^"']+)["']/gm;

report(packages.flatMap(packageProblems));

function packageProblems({ folder, manifest }) {
  if (!levelOf.has(manifest.name)) {
    return [
      `${folder}/package.json: ${manifest.name} has no level; add it to tools/check-layers.mjs`,
    ];
  }
  const files = filesBelow(`${folder}/src`, (name) => /\.[cm]?[jt]sx?$/.test(name));
  return [
    ...manifestProblems(folder, manifest),
    ...files.flatMap((file) => fileProblems(file, folder, manifest)),
  ];
}

function manifestProblems(folder, manifest) {
  const runtime = {
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.peerDependencies,
  };
  return Object.keys(runtime)
    .filter((name) => manifestOf.has(name) && levelOf.get(name) >= levelOf.get(manifest.name))
    .filter((name) => started.get(manifest.name)?.includes(name) !== true)
    .map(
      (name) =>
        `${folder}/package.json: ${manifest.name} depends on ${name}, which is not below it`,
    );
}

function fileProblems(file, folder, manifest) {
  const text = readFileSync(join(root, file), "utf8");
  const test = file.endsWith(".test.ts");
  return [...text.matchAll(statement)]
    .map((match) => match[1] ?? match[2] ?? match[3])
    .flatMap((specifier) => {
      const problem = specifier.startsWith(".")
        ? relativeProblem(file, folder, specifier, test)
        : packageProblem(manifest, specifier, test);
      return problem === undefined ? [] : [`${file}: imports ${specifier}: ${problem}`];
    });
}

function relativeProblem(file, folder, specifier, test) {
  const target = normalize(join(dirname(file), specifier));
  const home = test ? `${folder}/` : `${folder}/src/`;
  return target.startsWith(home) ? undefined : `leaves ${home}`;
}

function packageProblem(manifest, specifier, test) {
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  const target = manifestOf.get(name);
  if (target === undefined || name === manifest.name) return undefined;
  const subpath = `.${specifier.slice(name.length)}`;
  if (target.exports?.[subpath] === undefined) return `${name} does not export ${subpath}`;
  if (!test && levelOf.get(name) >= levelOf.get(manifest.name)) {
    return `${name} is not below ${manifest.name}`;
  }
  const runtime = {
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.peerDependencies,
  };
  // A test may use any level; an app's packages are bundled into it, so that they are devDependencies there.
  const bundled = manifest.bin !== undefined;
  const declared = test || bundled ? { ...runtime, ...manifest.devDependencies } : runtime;
  return declared[name] === undefined ? "is not declared in package.json" : undefined;
}
