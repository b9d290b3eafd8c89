import { cue } from "../e2e/sandbox.ts";

/** What a build makes: files with and without the exec bit, a link, an empty folder, odd names, bytes that are others each time. */
const script = `set -e
echo run >> "$RUNS/$1"
rm -rf dist && mkdir -p dist/empty "dist/with space"
cat src/* > dist/main.txt
printf '#!/bin/sh\\necho tool\\n' > dist/tool && chmod 755 dist/tool
ln -s main.txt dist/link
echo ü > "dist/with space/ünïcode.txt"
head -c 200000 /dev/urandom > dist/random.bin
echo "built $1"
`;

const env = { RUNS: { cuenvPassthrough: true } };

/** Three projects, each with a build that makes things and a test that reads them; `lib` is among the inputs of `app`. */
export function threeProjects(): Record<string, string> {
  const project = (name: string, inputs: readonly string[]): Record<string, string> => ({
    [`packages/${name}/src/in.txt`]: `${name}\n`,
    [`packages/${name}/env.cue`]: cue({
      name,
      env,
      tasks: {
        build: {
          command: `sh ../../build.sh ${name}`,
          inputs: ["src", "//build.sh", ...inputs],
          outputs: ["dist"],
        },
        test: {
          command: `echo run >> "$RUNS/test-${name}"; test -x dist/tool; echo "tested ${name}"`,
          inputs: [],
          outputs: [],
          dependencies: ["build"],
        },
      },
    }),
  });
  return {
    "build.sh": script,
    ...project("core", []),
    ...project("lib", ["//packages/core/src"]),
    ...project("app", ["//packages/lib/src/*.txt", "!**/*.md"]),
  };
}

export const allTasks: readonly string[] = ["core", "lib", "app"].flatMap((name) => [
  `${name}:build`,
  `${name}:test`,
]);

/** Every task with one status. */
export function allOf(status: string): Readonly<Record<string, string>> {
  return Object.fromEntries(allTasks.map((task) => [task, status]));
}

export const ranOnce: Readonly<Record<string, number>> = Object.fromEntries(
  ["core", "lib", "app"].flatMap((name) => [
    [name, 1],
    [`test-${name}`, 1],
  ]),
);
