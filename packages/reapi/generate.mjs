// Generates src/gen from proto/, offline. `--check` generates beside it and fails when the committed code differs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";

const here = import.meta.dirname;
const check = process.argv.includes("--check");
const scratch = mkdtempSync(join(tmpdir(), "cuenv-reapi-"));
const out = check ? join(scratch, "gen") : join(here, "src/gen");

// The binary comes with a platform package; the script of @bufbuild/buf that would fetch it is not allowed to run.
const require = createRequire(import.meta.url);
const fromBuf = createRequire(require.resolve("@bufbuild/buf/package.json"));
const binary = process.platform === "win32" ? "buf.exe" : "buf";
const platformPackage = `@bufbuild/buf-${process.platform}-${process.arch === "arm64" && process.platform === "linux" ? "aarch64" : process.arch}`;
const buf = join(dirname(fromBuf.resolve(`${platformPackage}/package.json`)), "bin", binary);

const template = JSON.stringify({
  version: "v2",
  plugins: [
    {
      local: "protoc-gen-es",
      out,
      opt: ["target=ts", "import_extension=ts", "erasable_syntax=true"],
    },
  ],
});
execFileSync(buf, ["generate", "--template", template, "proto"], {
  cwd: here,
  stdio: "inherit",
  env: {
    ...process.env,
    PATH: [join(here, "node_modules/.bin"), process.env.PATH].join(delimiter),
    BUF_CACHE_DIR: join(scratch, "cache"),
  },
});

if (check) {
  const committed = join(here, "src/gen");
  const files = (folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
      .toSorted();
  const same =
    files(out).join() === files(committed).join() &&
    files(out).every((file) => readFileSync(out + file).equals(readFileSync(committed + file)));
  if (!same) {
    console.error(
      "packages/reapi/src/gen differs from proto/; run: node packages/reapi/generate.mjs",
    );
    process.exitCode = 1;
  }
}
rmSync(scratch, { recursive: true, force: true });
