const rootManifest = {
  name: "monorepo",
  version: "0.0.0",
  private: true,
  workspaces: ["packages/*"],
};

/** What each tool needs besides the packages themselves: path → text. All declare the same inputs and outputs. */
export function toolFiles(tool, graph) {
  switch (tool) {
    case "none":
      return {};
    case "cuenv":
      // As the other tools' copies, one that is a workspace of its own, wherever it lies.
      return { "env.cue": cuenvFile(graph), "package.json": json(rootManifest) };
    case "turbo":
      return turboFiles(graph);
    case "nx":
      return nxFiles(graph);
    default:
      throw new Error(`cannot generate for tool ${tool}: only none, turbo, nx and cuenv are known`);
  }
}

function cuenvFile(graph) {
  const rows = graph.map(
    ({ name, dependencies }) => `\t"${name}": ${JSON.stringify(dependencies)}`,
  );
  return `package cuenv

_packages: {
${rows.join("\n")}
}

tasks: {
	for name, needs in _packages {
		"\\(name):build": {
			command: "sh"
			args: ["build.sh"]
			workingDir: "packages/\\(name)"
			dependencies: [for need in needs {"\\(need):build"}]
			inputs: ["packages/\\(name)/src/**", "packages/\\(name)/*.txt", "packages/\\(name)/build.sh"]
			outputs: ["packages/\\(name)/dist"]
		}
	}
}
`;
}

function turboFiles(graph) {
  const files = {
    "package.json": json({ ...rootManifest, packageManager: "npm@11.19.1" }),
    "package-lock.json": json(npmLockfile(graph)),
    "turbo.json": json({
      tasks: {
        build: {
          dependsOn: ["^build"],
          inputs: ["src/**", "*.txt", "build.sh"],
          outputs: ["dist/**"],
        },
      },
    }),
  };
  for (const project of graph) {
    files[`packages/${project.name}/package.json`] = json({
      ...manifest(project),
      scripts: { build: "sh build.sh" },
    });
  }
  return files;
}

function npmLockfile(graph) {
  const packages = { "": { name: "monorepo", version: "0.0.0", workspaces: ["packages/*"] } };
  for (const project of graph) {
    packages[`packages/${project.name}`] = manifest(project);
    packages[`node_modules/${project.name}`] = { resolved: `packages/${project.name}`, link: true };
  }
  return { name: "monorepo", version: "0.0.0", lockfileVersion: 3, requires: true, packages };
}

function nxFiles(graph) {
  const files = {
    "package.json": json({
      name: "monorepo",
      version: "0.0.0",
      private: true,
      devDependencies: { nx: "24.0.6" },
    }),
    "nx.json": json({
      analytics: false,
      neverConnectToCloud: true,
      targetDefaults: {
        build: {
          cache: true,
          dependsOn: ["^build"],
          inputs: [
            "{projectRoot}/src/**/*",
            "{projectRoot}/*.txt",
            "{projectRoot}/build.sh",
            { dependentTasksOutputFiles: "**/sum.txt" },
          ],
          outputs: ["{projectRoot}/dist"],
        },
      },
    }),
  };
  for (const { name, dependencies } of graph) {
    files[`packages/${name}/project.json`] = json({
      name,
      root: `packages/${name}`,
      implicitDependencies: dependencies,
      targets: {
        build: {
          executor: "nx:run-commands",
          options: { command: "sh build.sh", cwd: `packages/${name}` },
        },
      },
    });
  }
  return files;
}

function manifest({ name, dependencies }) {
  const needs = Object.fromEntries(dependencies.map((dependency) => [dependency, "0.0.0"]));
  return { name, version: "0.0.0", ...(dependencies.length > 0 ? { dependencies: needs } : {}) };
}

function json(value) {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
