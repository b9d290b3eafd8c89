import { describe, expect, it } from "vitest";
import { errorOf, projectsForTests } from "../test/projects.ts";
import { evaluate } from "./index.ts";

const projects = projectsForTests();
const project = (files: Record<string, string>) => evaluate({ directory: projects.make(files) });

describe("what cuenv publishes beside its schemas", () => {
  it("loads offline: tasks of cargo, and names of what is not looked at", async () => {
    const { evaluation, unknownDefinitions } = await project({
      "cue.mod/module.cue": `module: "github.com/somebody/project@v0"
language: version: "v0.14.1"
deps: "github.com/cuenv/cuenv@v0": v: "v0.54.0"
`,
      "env.cue": `package cuenv

import (
	"github.com/cuenv/cuenv/schema"
	gen "github.com/cuenv/cuenv/schema/codegen"
	c "github.com/cuenv/cuenv/contrib/contributors"
	s "github.com/cuenv/cuenv/contrib/stages"
	xBun "github.com/cuenv/cuenv/contrib/bun"
	xCodecov "github.com/cuenv/cuenv/contrib/codecov"
	xNix "github.com/cuenv/cuenv/contrib/nix"
	"github.com/cuenv/cuenv/contrib/node"
	xRust "github.com/cuenv/cuenv/contrib/rust"
	xTools "github.com/cuenv/cuenv/contrib/tools"
)

schema.#Project & {
	name: "server"
	let _t = tasks
	hooks: onEnter: nix: xNix.#NixFlake
	codegen: files: "ci.yml": gen.#YAMLFile & {content: "on: push", gitignore: false}
	runtime: schema.#ToolsRuntime & {
		platforms: ["linux-x86_64"]
		tools: {
			jq: xTools.#Jq & {version: "1.7.1"}
			bun: xBun.#Bun & {version: "1.3.5"}
			"node": node.#Node & {version: "26.10.0"}
			rust: xRust.#Rust & {version: "1.92.0"}
			prettier: schema.#Tool & {version: "3", source: schema.#Nix & {flake: "n", package: "p"}}
		}
	}
	ci: {
		contributors: [c.#Nix, c.#BunWorkspace, c.#CuenvRelease, xCodecov.#Codecov, s.#Cachix]
		pipelines: default: {
			tasks: [_t.fmt, _t.build]
			annotations: url: schema.#TaskCaptureRef & {cuenvTask: "build", cuenvCapture: "url"}
		}
	}
	tasks: {
		fmt: xRust.#Fmt & {args: ["fmt", "--all", "--", "--check"], inputs: ["crates/**"]}
		build: xRust.#Build & {outputs: ["target/app"], dependsOn: [tasks.fmt]}
		doc: xRust.doc
	}
}
`,
    });
    expect(unknownDefinitions).toEqual([]);
    expect(evaluation.value).toMatchObject({
      tasks: {
        fmt: {
          command: "cargo",
          args: ["fmt", "--all", "--", "--check"],
          inputs: ["crates/**"],
        },
        build: {
          command: "cargo",
          args: ["build"],
          inputs: ["Cargo.toml", "Cargo.lock", "src"],
          outputs: ["target/app"],
        },
        doc: { command: "cargo", args: ["doc"] },
      },
      ci: { contributors: [{}, { id: "bun.workspace" }, {}, {}, {}] },
      runtime: { tools: { jq: { version: "1.7.1" } } },
    });
    expect(evaluation.references).toMatchObject({ "/tasks/build/dependsOn/0": "/tasks/fmt" });
  });

  it("is taken as anything where it is new, and told; a slip of the pen is not", async () => {
    const file = (definition: string): Record<string, string> => ({
      "env.cue": `package cuenv
import (
	c "github.com/cuenv/cuenv/contrib/contributors"
	other "github.com/cuenv/cuenv/contrib/some/other"
)
ci: contributors: [${definition}, other.#Thing & {id: "x"}]
tasks: a: {command: "a"}
`,
    });
    const { evaluation, unknownDefinitions } = await project(file("c.#Elsewhere"));
    expect(unknownDefinitions).toEqual([
      "contrib/contributors.#Elsewhere",
      "contrib/some/other.#Thing",
    ]);
    expect(evaluation.value).toMatchObject({ ci: { contributors: [{}, { id: "x" }] } });
    const error = await errorOf(project(file("c.#CuenvRelaese")));
    expect(error).toMatchObject({ code: "CUE_EVALUATION", location: { line: 6 } });
    expect(error.message).toContain("#CuenvRelaese");
  });

  it.each([
    [
      "in cue.mod",
      "github.com/somebody/project",
      "cue.mod/pkg/github.com/cuenv/cuenv/contrib/rust",
    ],
    ["as part of the module", "github.com/cuenv/cuenv@v0", "contrib/rust"],
  ])("is the project's own where it has it %s", async (_, module, folder) => {
    const { evaluation } = await project({
      "cue.mod/module.cue": `module: "${module}"\nlanguage: version: "v0.14.1"\n`,
      [`${folder}/tasks.cue`]: `package rust
import "github.com/cuenv/cuenv/schema"
#Fmt: schema.#Task & {command: "my-cargo"}
`,
      "env.cue": `package cuenv
import xRust "github.com/cuenv/cuenv/contrib/rust"
tasks: fmt: xRust.#Fmt
`,
    });
    expect(evaluation.value).toEqual({ tasks: { fmt: { command: "my-cargo" } } });
  });

  it("is called in errors what files call it", async () => {
    const error = await errorOf(
      project({
        "env.cue": `package cuenv
import xRust "github.com/cuenv/cuenv/contrib/rust"
tasks: fmt: xRust.Fmt
`,
      }),
    );
    expect(error.message).not.toContain("cuenv.internal");
    expect(error).toMatchObject({ location: { line: 3 } });
  });

  it("reads secrets with the commands of the services", async () => {
    const { evaluation } = await project({
      "env.cue": `package cuenv
import "github.com/cuenv/cuenv/schema"
env: {
	PLAIN: schema.#AwsSecret & {secretId: "a"}
	PART: schema.#AwsSecret & {secretId: "a", versionStage: "AWSPREVIOUS", jsonKey: "password"}
	VAULT: schema.#VaultSecret & {path: "app/config", key: "token"}
	INFISICAL: schema.#InfisicalSecret & {projectId: "p", environment: "dev", secretName: "S"}
}
`,
    });
    const aws = ["secretsmanager", "get-secret-value", "--secret-id", "a"];
    const text = ["--query", "SecretString", "--output", "text"];
    expect(evaluation.value).toMatchObject({
      env: {
        PLAIN: { command: "aws", args: [...aws, ...text] },
        PART: { args: [...aws, "--version-stage=AWSPREVIOUS", ...text], jsonKey: "password" },
        VAULT: {
          command: "vault",
          args: ["kv", "get", "-mount=secret", "-field=token", "app/config"],
        },
        INFISICAL: {
          command: "infisical",
          args: expect.arrayContaining(["S", "--projectId=p", "--env=dev", "--path=/", "--plain"]),
        },
      },
    });
  });
});
