// Keeps the tsconfig files of every package in step with its package.json, so that project references
// cannot drift: `node tools/sync-packages.mjs` writes them, `--check` only compares.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const check = process.argv.includes("--check");
const folders = ["packages", "apps"].flatMap((group) =>
  readdirSync(join(root, group))
    .toSorted()
    .map((name) => `${group}/${name}`)
    .filter((folder) => existsSync(join(root, folder, "package.json"))),
);
const manifests = new Map(
  folders.map((folder) => [
    folder,
    JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")),
  ]),
);
const folderOf = new Map([...manifests].map(([folder, manifest]) => [manifest.name, folder]));

function references(folder, manifest, sections) {
  const names = sections.flatMap((section) => Object.keys(manifest[section] ?? {}));
  return names
    .filter((name) => folderOf.has(name))
    .toSorted()
    .map((name) => ({ path: relative(folder, `${folderOf.get(name)}/tsconfig.build.json`) }));
}

const wanted = new Map();
for (const [folder, manifest] of manifests) {
  const up = relative(folder, ".");
  const runtime = ["dependencies", "optionalDependencies", "peerDependencies"];
  // What an app publishes in dist is its bundle (tools/build-cli.mjs); tsc only checks it.
  const bundled = folder.startsWith("apps/");
  const out = bundled ? `${up}/.cache/tsc/${folder}` : "dist";
  wanted.set(`${folder}/tsconfig.build.json`, {
    extends: `${up}/tsconfig.base.json`,
    compilerOptions: {
      rootDir: "src",
      outDir: out,
      tsBuildInfoFile: `${out}/.tsbuildinfo`,
      ...(bundled ? { emitDeclarationOnly: true } : {}),
    },
    include: ["src"],
    exclude: ["src/**/*.test.ts"],
    references: references(folder, manifest, bundled ? [...runtime, "devDependencies"] : runtime),
  });
  wanted.set(`${folder}/tsconfig.test.json`, {
    extends: `${up}/tsconfig.test-base.json`,
    compilerOptions: { rootDir: ".", tsBuildInfoFile: `${out}/.test.tsbuildinfo` },
    include: ["src/**/*.test.ts", "test"],
    references: [
      { path: "tsconfig.build.json" },
      ...references(folder, manifest, [...runtime, "devDependencies"]),
    ],
  });
  wanted.set(`${folder}/tsconfig.json`, {
    files: [],
    references: [{ path: "tsconfig.build.json" }, { path: "tsconfig.test.json" }],
  });
}
wanted.set("tsconfig.json", {
  files: [],
  references: [...folders.map((path) => ({ path })), { path: "test" }],
});
wanted.set("tsconfig.build.json", {
  files: [],
  references: folders.map((folder) => ({ path: `${folder}/tsconfig.build.json` })),
});
wanted.set("test/tsconfig.json", {
  extends: "../tsconfig.test-base.json",
  compilerOptions: { rootDir: ".", tsBuildInfoFile: "../.cache/test.tsbuildinfo" },
  include: ["**/*.ts"],
  references: folders.map((folder) => ({ path: `../${folder}/tsconfig.build.json` })),
});

const drifted = [];
for (const [file, content] of wanted) {
  const path = join(root, file);
  const current = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
  if (JSON.stringify(current) === JSON.stringify(content)) continue;
  drifted.push(path);
  if (check)
    console.error(
      `${file}: differs from what package.json asks for; run node tools/sync-packages.mjs`,
    );
  else writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`);
}
if (check && drifted.length > 0) process.exitCode = 1;
if (!check && drifted.length > 0) {
  const oxfmt = join(root, "node_modules", ".bin", "oxfmt");
  process.exitCode = spawnSync(oxfmt, drifted, { cwd: root, stdio: "inherit" }).status ?? 1;
}
