import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { pnpmProgram } from "../e2e/pnpm-program.ts";
import { launcher, plainEnvironment, runProgram, temporaryFolder } from "../e2e/sandbox.ts";
import { turboProgram } from "../e2e/turbo-workspace.ts";

const example = fileURLToPath(new URL("../../examples/turbo-workspace", import.meta.url));
const base = temporaryFolder();
const bin = join(base, "bin");
const ignored = new Set(["node_modules", "dist", "generated", ".turbo"]);

beforeAll(() => {
  mkdirSync(bin, { recursive: true });
  symlinkSync(pnpmProgram(), join(bin, "pnpm"));
});

interface Checkout {
  cuenv(
    args: readonly string[],
    cwd?: string,
    env?: Readonly<Record<string, string>>,
  ): Promise<string>;
  read(name: string): string;
  write(name: string, text: string): void;
}

/** The workspace as `git clone` and `pnpm install` leave it; cuenv and turbo, which npm would bring, are this repository's. */
async function checkout(name: string): Promise<Checkout> {
  const root = join(base, name);
  cpSync(example, root, {
    recursive: true,
    filter: (path) => !ignored.has(basename(path)),
  });
  const path = (file: string): string => join(root, file);
  const manifest = JSON.parse(readFileSync(path("package.json"), "utf8")) as object;
  writeFileSync(path("package.json"), JSON.stringify({ ...manifest, devDependencies: {} }));
  // Of another version of pnpm a file of its own would be fetched.
  appendFileSync(path("pnpm-workspace.yaml"), "pmOnFail: ignore\n");
  const plain = plainEnvironment(join(base, "home"));
  const env = {
    ...plain,
    PATH: `${bin}:${plain["PATH"]}`,
    CUENV_CACHE_DIR: join(base, "cache"),
    TURBO_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    TURBO_NO_UPDATE_NOTIFIER: "1",
  };
  const run = async (program: string, args: readonly string[], cwd: string, more = {}) => {
    const ran = await runProgram(program, args, { cwd, env: { ...env, ...more } });
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    return ran.stdout + ran.stderr;
  };
  await run("git", ["init", "-q"], root);
  await run("pnpm", ["install", "--offline"], root);
  mkdirSync(path("node_modules/.bin"), { recursive: true });
  symlinkSync(turboProgram("2.11.11"), path("node_modules/.bin/turbo"));
  const command = path("node_modules/.bin/cuenv");
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${launcher}" "$@"\n`);
  chmodSync(command, 0o755);
  return {
    cuenv: (args, cwd = "", more = {}) => run(command, args, path(cwd), more),
    read: (file) => readFileSync(path(file), "utf8"),
    write: (file, text) => writeFileSync(path(file), text),
  };
}

describe("examples/turbo-workspace", () => {
  it("runs once on a machine, in any checkout, and again only what an edit reaches", async () => {
    const first = await checkout("first");
    expect(await first.cuenv(["turbo", "sync", "--check"])).toContain("in step with env.cue");
    const cold = await first.cuenv(["turbo", "run", "build", "test", "release"]);
    for (const text of ["built prices", "built a list in EUR", "built site", "released"])
      expect(cold).toContain(text);
    expect(first.read("packages/site/dist/index.html")).toContain("apples 2.50 EUR");

    const second = await checkout("second");
    expect(await second.cuenv(["turbo", "run", "build", "test"])).toContain("FULL TURBO");
    expect(second.read("packages/site/dist/index.html")).toContain("apples 2.50 EUR");
    rmSync(join(base, "second", "packages/prices/dist"), { recursive: true });
    const alone = await second.cuenv(["task", "build", "--json"], "packages/prices");
    expect(JSON.parse(alone.split("\n")[0] ?? "")).toMatchObject({
      tasks: [{ cache: { status: "hit" } }, { cache: { status: "hit" } }],
    });

    // Another output of the generated file, two packages away.
    second.write("packages/prices/rates.json", '{ "EUR": 2, "CHF": 0.94 }');
    expect(await second.cuenv(["turbo", "run", "build"])).toMatch(/Cached: +0 cached, 4 total/);
    expect(second.read("packages/site/dist/index.html")).toContain("apples 5.00 EUR");
    expect(await second.cuenv(["turbo", "why", "site#build"])).toContain("nothing changed");
    const swiss = { CUENV_ENV: "switzerland" };
    expect(await second.cuenv(["turbo", "run", "build"], "", swiss)).toContain("a list in CHF");
    second.write("packages/site/pages/2-body.html", "<p>Plums.</p>\n");
    expect(await second.cuenv(["turbo", "run", "build"])).toMatch(/Cached: +3 cached, 4 total/);
    expect(await second.cuenv(["turbo", "why", "site#build"])).toContain("nothing changed");
    second.write("packages/site/pages/2-body.html", "<p>Pears.</p>\n");
    expect(await second.cuenv(["turbo", "why", "site#build"])).toContain(
      "pages/2-body.html changed",
    );
  }, 120_000);
});
