import { spawnSync } from "node:child_process";
import { peersInstalled } from "../command/peers-installed.ts";

/** Undefined: the machine has it, and it can use a cache over HTTP. Else the reason why not, in a few words. */
type Lack = string | undefined;

/** What the program prints; undefined when there is none. Without NODE_OPTIONS, which are for our own processes. */
function printed(program: string, args: readonly string[]): string | undefined {
  const env = { ...process.env, NODE_OPTIONS: "", LC_ALL: "C" };
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env });
  return error === undefined ? `${stdout}${stderr}` : undefined;
}

function lackOfCcache(): Lack {
  const version = printed("ccache", ["--version"]);
  if (version === undefined) return "ccache is not installed";
  if (printed("gcc", ["--version"]) === undefined) return "gcc is not installed";
  return version.includes("http-storage") ? undefined : "this ccache has no HTTP storage";
}

/** CUENV_E2E_SCCACHE names another program: that of Debian 12 was built without any remote storage. */
export const sccacheProgram: string = process.env["CUENV_E2E_SCCACHE"] ?? "sccache";

function lackOfSccache(): Lack {
  const help = printed(sccacheProgram, ["--help"]);
  if (help === undefined) return `${sccacheProgram} is not installed`;
  if (printed("gcc", ["--version"]) === undefined) return "gcc is not installed";
  return /WebDAV:\s+true/.test(help) ? undefined : "this sccache was built without WebDAV";
}

function lackOfGradle(): Lack {
  const version = printed("gradle", ["--version"]);
  return version === undefined ? "gradle is not installed" : undefined;
}

function lackOfBazel(): Lack {
  const version = printed("bazel", ["--version"]);
  if (version === undefined) return "bazel is not installed";
  // Debian's tells no version, and is one of these. Later ones fetch their own modules from the network before they build anything.
  return /^bazel (?:[4-6]\.|no_version)/m.test(version)
    ? undefined
    : `the test is for Bazel 4 to 6, which build offline, not ${version.split("\n")[0]}`;
}

await peersInstalled();
const lacks = {
  ccache: lackOfCcache(),
  sccache: lackOfSccache(),
  Gradle: lackOfGradle(),
  Bazel: lackOfBazel(),
};

for (const [name, lack] of Object.entries(lacks)) {
  if (lack !== undefined) console.warn(`SKIPPED: tests of cuenv serve with ${name}: ${lack}`);
}

type ClientProgram = keyof typeof lacks;

export function isLacking(needed: ClientProgram): boolean {
  return lacks[needed] !== undefined;
}

/** For the end of a test's name: says, when it is skipped, what was lacking. */
export function lackOf(needed: ClientProgram): string {
  const lack = lacks[needed];
  return lack === undefined ? "" : ` [SKIPPED: ${lack}]`;
}
