// Builds artifact/evaluator.wasm.zst from go/: `node build-evaluator.mjs`. The build depends on nothing but the
// sources, the Go version and the modules that go.sum pins, so it gives the same bytes in any folder, and
// `--check` can rebuild it and compare. Exit codes of --check: 0 same, 1 different, 77 no Go here.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { preinitialised } from "./preinitialise.mjs";
import { withRoomForCeiling } from "./src/wasm-memory-ceiling.ts";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

const here = fileURLToPath(new URL(".", import.meta.url));
const artifact = join(here, "artifact", "evaluator.wasm.zst");
const record = join(here, "artifact", "evaluator.wasm.sha256");
const identityFile = join(here, "src", "gen", "evaluator-identity.ts");
const goVersion = "go1.26.8";
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

function go(folder, ...args) {
  const result = spawnSync("go", args, {
    cwd: folder,
    encoding: "utf8",
    env: {
      ...process.env,
      GOTOOLCHAIN: goVersion,
      GOFLAGS: "",
      GOWORK: "off",
      GO111MODULE: "on",
      GOEXPERIMENT: "",
      GOWASM: "",
      GOFIPS140: "off",
      CGO_ENABLED: "0",
      GOOS: args[0] === "build" ? "wasip1" : "",
      GOARCH: args[0] === "build" ? "wasm" : "",
    },
  });
  if (result.error?.code === "ENOENT") return undefined;
  if (result.status !== 0) throw new Error(`go ${args.join(" ")} failed:\n${result.stderr}`);
  return result.stdout;
}

// What is added to the vendored copy of CUE: go/patches/README.md.
const patches = {
  "robustio_wasip1.go": "internal/robustio",
  "iofs_root.go": "cue/load",
  "value_parts.go": "cue",
};

/** The module that is shipped, or undefined where there is no Go. */
function build() {
  const folder = mkdtempSync(join(tmpdir(), "cuenv-evaluator-"));
  try {
    if (go(folder, "version") === undefined) return undefined;
    for (const name of readdirSync(join(here, "go"))) {
      if (/\.(go|mod|sum)$/.test(name) && !name.endsWith("_test.go"))
        cpSync(join(here, "go", name), join(folder, name));
    }
    go(folder, "mod", "vendor");
    for (const [name, target] of Object.entries(patches)) {
      cpSync(
        join(here, "go", "patches", `${name}.txt`),
        join(folder, "vendor", "cuelang.org", "go", target, name),
      );
    }
    const flags = ["-mod=vendor", "-trimpath", "-buildvcs=false", "-buildmode=c-shared"];
    go(folder, "build", ...flags, "-ldflags=-s -w -buildid=", "-o", "evaluator.wasm", ".");
    return withRoomForCeiling(preinitialised(readFileSync(join(folder, "evaluator.wasm"))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function recordOf(wasm) {
  const cue = /cuelang\.org\/go (v\S+)/.exec(readFileSync(join(here, "go", "go.mod"), "utf8"))[1];
  return `${sha256(wasm)}  evaluator.wasm\n# ${goVersion}\n# cuelang.org/go ${cue}\n`;
}

function schemaFiles(folder = join(here, "schema"), prefix = "") {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory()
        ? schemaFiles(join(folder, entry.name), `${prefix}${entry.name}/`)
        : [`${prefix}${entry.name}`],
    )
    .toSorted((left, right) => (left < right ? -1 : 1));
}

/** What evaluation results depend on besides their inputs, known to the hot path without reading anything. */
function identity() {
  const hash = createHash("sha256").update(readFileSync(record));
  for (const name of schemaFiles()) {
    hash.update(`\0${name}\0`).update(readFileSync(join(here, "schema", name)));
  }
  const digest = hash.digest("hex");
  return `// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.\nexport const evaluatorIdentity: string =\n  "${digest}";\n`;
}

function writeIdentity() {
  mkdirSync(join(here, "src", "gen"), { recursive: true });
  writeFileSync(identityFile, identity());
}

const mode = process.argv[2];
if (mode === "--print-identity") {
  process.stdout.write(identity());
} else if (mode === "--identity") {
  writeIdentity();
} else if (mode === "--check") {
  const shipped = zstdDecompressSync(readFileSync(artifact));
  const wanted = readFileSync(record, "utf8");
  const problems = [];
  if (recordOf(shipped) !== wanted)
    problems.push("artifact/evaluator.wasm.zst is not what artifact/evaluator.wasm.sha256 says");
  if (identity() !== readFileSync(identityFile, "utf8"))
    problems.push("src/gen/evaluator-identity.ts is stale: node build-evaluator.mjs --identity");
  const built = build();
  if (built !== undefined && recordOf(built) !== wanted)
    problems.push(
      `go/ builds to ${sha256(built)}, the artifact is ${sha256(shipped)}: node build-evaluator.mjs`,
    );
  for (const problem of problems) console.error(`evaluator: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  else if (built === undefined) {
    console.error(
      "evaluator: NOT REBUILT: there is no Go on this machine, only the artifact's digest was checked",
    );
    process.exitCode = 77;
  } else console.log(`evaluator: rebuilt, same digest ${sha256(built)}`);
} else {
  const wasm = build();
  if (wasm === undefined) throw new Error(`building the evaluator needs ${goVersion}`);
  mkdirSync(join(here, "artifact"), { recursive: true });
  // --fast: while one works on it.
  const level = mode === "--fast" ? 3 : 22;
  // With a checksum, damage to the file is an error when it is loaded.
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1,
  };
  writeFileSync(artifact, zstdCompressSync(wasm, { params }));
  writeFileSync(record, recordOf(wasm));
  writeIdentity();
  console.log(
    `${sha256(wasm)} (${wasm.length} bytes, ${readFileSync(artifact).length} compressed)`,
  );
}
