/** The tasks of examples/plain-project/env.cue, for the peers; same commands, inputs and outputs. */
const sources = ["src/**/*.ts", "!src/**/tests/**", "!src/**/benchmarks/**", "package.json"];
const tasks = {
  typecheck: {
    script: "tsc --project tsconfig.json --pretty false",
    inputs: [...sources, "tsconfig.json"],
  },
  lint: { script: "oxlint src", inputs: [...sources, ".oxlintrc.json"] },
  compile: {
    script: "tsc --project tsconfig.build.json --pretty false",
    inputs: [...sources, "tsconfig.json", "tsconfig.build.json"],
    outputs: ["dist"],
  },
  "test:unit": {
    script: "vitest run",
    inputs: ["src/**/*.ts", "package.json", "vitest.config.ts"],
  },
  bundle: {
    script:
      "rolldown dist/index.js --format esm --minify --file bundle/zod.js\nrolldown dist/mini/index.js --format esm --minify --file bundle/mini.js",
    inputs: ["package.json"],
    outputs: ["bundle"],
    needs: ["compile"],
  },
  "test:package": {
    script: "node --test test/package.test.mjs",
    inputs: ["test/**"],
    needs: ["compile", "bundle"],
  },
  size: {
    script: "node tools/size.mjs",
    inputs: ["tools/size.mjs"],
    outputs: ["report"],
    needs: ["bundle"],
  },
};
const all = ["typecheck", "lint", "test:unit", "test:package", "size"];

/** What the peer needs beside the example's own files: path → text. */
export function plainProjectFiles(tool) {
  if (tool === "cuenv") return {};
  return tool === "turbo" ? turboFiles() : nxFiles();
}

function turboFiles() {
  const scripts = Object.entries(tasks).map(([name, { script }]) => [
    `scripts/${name}.sh`,
    `set -e\nPATH="$PWD/node_modules/.bin:$PATH"\n${script}\n`,
  ]);
  const entries = Object.entries(tasks).map(([name, { inputs, outputs = [], needs = [] }]) => [
    name,
    { inputs, outputs: outputs.map((folder) => `${folder}/**`), dependsOn: needs },
  ]);
  return {
    ...Object.fromEntries(scripts),
    "package.json": json({
      name: "plain-project",
      version: "0.0.0",
      private: true,
      type: "module",
      packageManager: "npm@11.19.1",
      scripts: Object.fromEntries(
        Object.entries(tasks).map(([name, { script }]) => [name, script]),
      ),
    }),
    "package-lock.json": json({
      name: "plain-project",
      version: "0.0.0",
      lockfileVersion: 3,
      packages: {},
    }),
    "turbo.json": json({ tasks: { ...Object.fromEntries(entries), check: { dependsOn: all } } }),
  };
}

function nxFiles() {
  const targets = Object.entries(tasks).map(
    ([name, { script, inputs, outputs = [], needs = [] }]) => [
      name,
      {
        executor: "nx:run-commands",
        cache: true,
        options: { commands: script.split("\n"), parallel: false },
        dependsOn: needs,
        inputs: [
          ...inputs.map((glob) =>
            glob.startsWith("!") ? `!{projectRoot}/${glob.slice(1)}` : `{projectRoot}/${glob}`,
          ),
          ...(needs.length > 0 ? [{ dependentTasksOutputFiles: "**/*" }] : []),
        ],
        outputs: outputs.map((folder) => `{projectRoot}/${folder}`),
      },
    ],
  );
  return {
    "nx.json": json({ analytics: false, neverConnectToCloud: true }),
    "project.json": json({
      name: "plain-project",
      targets: { ...Object.fromEntries(targets), check: { executor: "nx:noop", dependsOn: all } },
    }),
  };
}

function json(value) {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
