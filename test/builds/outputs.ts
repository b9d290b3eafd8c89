import type { Files, ModelFile, ModelTask } from "./build-model.ts";

/** What a task makes: one place has all that is to be known of each kind. */
export const outputKinds = [
  "none",
  "file",
  "folder",
  "glob",
  "nested",
  "changing",
  "linked",
  "closed",
  "excepted",
  "filtered",
  "odd",
  "mixed",
  "large",
] as const;

export type OutputKind = (typeof outputKinds)[number];

interface Kind {
  readonly declared: readonly string[];
  /** Whether a path that lies in `out` is of these. */
  readonly has: (path: string) => boolean;
  /** A shell command that lists the files. */
  readonly find: string;
  /** A script that makes it of $text, and of $n, the number of its lines. */
  readonly write: readonly string[];
  readonly made: (
    text: string,
    lines: number,
    value: string,
  ) => Readonly<Record<string, ModelFile>>;
}

const print = 'printf "%s\\n" "$text"';
const folder: ModelFile = { text: "", executable: false, isFolder: true };

export const padding = "x".repeat(400_000);
const deep = Array.from({ length: 12 }, (_, at) => `folder-${at}`).join("/");

function file(text: string | number, executable = false): ModelFile {
  return { text: `${text}\n`, executable };
}

function link(to: string): ModelFile {
  return { text: "", executable: false, link: to };
}

function below(...places: readonly string[]): Pick<Kind, "declared" | "has" | "find"> {
  return {
    declared: places,
    has: (path) => places.some((place) => path === place || path.startsWith(`${place}/`)),
    find: `find ${places.join(" ")} -type f`,
  };
}

const kinds: Readonly<Record<OutputKind, (name: string) => Kind>> = {
  none: () => ({ ...below(), find: ":", write: [print], made: () => ({}) }),
  file: (name) => ({
    ...below(`out/${name}.txt`),
    write: ["mkdir -p out", `rm -rf out/${name}.txt`, `${print} > out/${name}.txt`],
    made: (text) => ({ [`out/${name}.txt`]: file(text) }),
  }),
  folder: (name) => ({
    ...below(`out/${name}`),
    write: [
      `rm -rf out/${name}`,
      `mkdir -p out/${name}/sub/none`,
      `${print} > out/${name}/all.txt`,
      `echo "$n" > out/${name}/v-"$n".sh`,
      `chmod +x out/${name}/v-"$n".sh`,
      `ln -s all.txt out/${name}/link`,
      `: > out/${name}/sub/empty`,
    ],
    made: (text, lines) => ({
      [`out/${name}/all.txt`]: file(text),
      [`out/${name}/link`]: link("all.txt"),
      [`out/${name}/sub/empty`]: { text: "", executable: false },
      [`out/${name}/sub/none`]: folder,
      [`out/${name}/v-${lines}.sh`]: file(lines, true),
    }),
  }),
  glob: (name) => ({
    declared: [`out/${name}-*.txt`],
    has: (path) => path.startsWith(`out/${name}-`) && /^out\/[^/]*\.txt(?:\/|$)/.test(path),
    find: `find out -maxdepth 1 -type f -name '${name}-*.txt'`,
    write: [
      "mkdir -p out",
      `rm -rf out/${name}-*.txt`,
      `${print} > out/${name}-all.txt`,
      `echo "$n" > out/${name}-"$n".txt`,
    ],
    made: (text, lines) => ({
      [`out/${name}-all.txt`]: file(text),
      [`out/${name}-${lines}.txt`]: file(lines),
    }),
  }),
  nested: (name) => ({
    ...below(`out/deep/${name}/x.txt`),
    write: [
      `rm -rf out/deep/${name}`,
      `mkdir -p out/deep/${name}`,
      `${print} > out/deep/${name}/x.txt`,
    ],
    made: (text) => ({ [`out/deep/${name}/x.txt`]: file(text) }),
  }),
  // A file or, by the number of lines, a folder, and a link to nothing.
  changing: (name) => ({
    ...below(`out/${name}.c`),
    write: [
      "mkdir -p out",
      `rm -rf out/${name}.c`,
      `case $((n % 3)) in 0) ${print} > out/${name}.c ;; 1) mkdir out/${name}.c; ${print} > out/${name}.c/x ;; *) ln -s nowhere-"$n" out/${name}.c ;; esac`,
    ],
    made: (text, lines) =>
      lines % 3 === 1
        ? { [`out/${name}.c/x`]: file(text) }
        : { [`out/${name}.c`]: lines % 3 === 0 ? file(text) : link(`nowhere-${lines}`) },
  }),
  linked: (name) => ({
    ...below(`out/${name}.l`, `out/${name}.d`),
    write: [
      `rm -rf out/${name}.l out/${name}.d`,
      `mkdir -p out/${name}.d/"$n"`,
      `${print} > out/${name}.d/"$n"/x`,
      `ln -s ${name}.d/"$n" out/${name}.l`,
    ],
    made: (text, lines) => ({
      [`out/${name}.d/${lines}/x`]: file(text),
      [`out/${name}.l`]: link(`${name}.d/${lines}`),
    }),
  }),
  // Files and folders that nobody may write.
  closed: (name) => ({
    ...below(`out/${name}.r`),
    write: [
      `if [ -d out/${name}.r ] && [ ! -L out/${name}.r ]; then chmod -R u+rwx out/${name}.r; fi`,
      `rm -rf out/${name}.r`,
      `mkdir -p out/${name}.r/in/empty`,
      `${print} > out/${name}.r/in/x`,
      `echo "$n" > out/${name}.r/"$n"`,
      `chmod -R a-w out/${name}.r`,
    ],
    made: (text, lines) => ({
      [`out/${name}.r/in/x`]: file(text),
      [`out/${name}.r/in/empty`]: folder,
      [`out/${name}.r/${lines}`]: file(lines),
    }),
  }),
  // `keep` is somebody else's.
  excepted: (name) => ({
    declared: [`out/${name}.e`, `!${keptFolder(name)}`],
    has: (path) =>
      (path === `out/${name}.e` || path.startsWith(`out/${name}.e/`)) &&
      path !== keptFolder(name) &&
      !path.startsWith(`${keptFolder(name)}/`),
    find: `find out/${name}.e -path ${keptFolder(name)} -prune -o -type f -print`,
    write: [
      `if [ -d out/${name}.e ]; then find out/${name}.e -mindepth 1 -maxdepth 1 -not -name keep -exec rm -rf {} +; else rm -rf out/${name}.e; fi`,
      `mkdir -p out/${name}.e`,
      `${print} > out/${name}.e/all.txt`,
      `echo "$n" > out/${name}.e/"$n"`,
    ],
    made: (text, lines) => ({
      [`out/${name}.e/all.txt`]: file(text),
      [`out/${name}.e/${lines}`]: file(lines),
    }),
  }),
  // What ends in `.tmp` is none of it, wherever it lies.
  filtered: (name) => ({
    declared: [`out/${name}.f/**`, `!out/${name}.f/**/*.tmp`],
    has: (path) => path.startsWith(`out/${name}.f/`) && !path.endsWith(".tmp"),
    find: `find out/${name}.f -type f -not -name '*.tmp'`,
    write: [
      `rm -rf out/${name}.f`,
      `mkdir -p out/${name}.f/a-"$n"/b`,
      `${print} > out/${name}.f/all.txt`,
      `echo "$n" > out/${name}.f/a-"$n"/b/x`,
      `echo "$n" | tee out/${name}.f/y.tmp out/${name}.f/a-"$n"/z.tmp > out/${name}.f/a-"$n"/b/x.tmp`,
    ],
    made: (text, lines) => ({
      [`out/${name}.f/all.txt`]: file(text),
      [`out/${name}.f/a-${lines}/b/x`]: file(lines),
    }),
  }),
  // Three of them are more than the smallest cache holds.
  large: (name) => ({
    ...below(`out/${name}.b`),
    write: [
      `rm -rf out/${name}.b`,
      `mkdir -p out/${name}.b`,
      `${print} > out/${name}.b/all.txt`,
      `{ echo "$V $n"; head -c ${padding.length} /dev/zero | tr '\\0' x; echo; } > out/${name}.b/pad`,
    ],
    made: (text, lines, value) => ({
      [`out/${name}.b/all.txt`]: file(text),
      [`out/${name}.b/pad`]: file(`${value} ${lines}\n${padding}`),
    }),
  }),
  // Beside inputs of the task.
  mixed: (name) => ({
    declared: [`${mixedFolder(name)}/*.js`],
    has: (path) =>
      path.startsWith(`${mixedFolder(name)}/`) && /^mix\/[^/]*\/[^/]*\.js(?:\/|$)/.test(path),
    find: `find ${mixedFolder(name)} -maxdepth 1 -type f -name '*.js'`,
    write: [
      `mkdir -p ${mixedFolder(name)}`,
      `rm -rf ${mixedFolder(name)}/*.js`,
      `${print} > ${mixedFolder(name)}/all.js`,
      `echo "$n" > ${mixedFolder(name)}/"$n".js`,
    ],
    made: (text, lines) => ({
      [`${mixedFolder(name)}/all.js`]: file(text),
      [`${mixedFolder(name)}/${lines}.js`]: file(lines),
    }),
  }),
  // Names that patterns and shells take for something else, and a deep folder.
  odd: (name) => ({
    ...below(`out/${name}.o`),
    write: [
      `rm -rf out/${name}.o`,
      `mkdir -p out/${name}.o/[a]/-{b}/*/日本/!é/${deep}`,
      `${print} > out/${name}.o/[a]/-{b}/*/日本/!é/${deep}/all.txt`,
      `echo "$n" > out/${name}.o/[a]/-{b}/"$n"-ü`,
    ],
    made: (text, lines) => ({
      [`out/${name}.o/[a]/-{b}/*/日本/!é/${deep}/all.txt`]: file(text),
      [`out/${name}.o/[a]/-{b}/${lines}-ü`]: file(lines),
    }),
  }),
};

/** The folder of inputs of a task that it writes some of its outputs into. */
export function mixedFolder(name: string): string {
  return `mix/${name}`;
}

/** The folder in a task's outputs that is none of them. */
export function keptFolder(name: string): string {
  return `out/${name}.e/keep`;
}

function kindOf({ name, output }: ModelTask): Kind {
  return kinds[output](name);
}

export function declaredOutputs(task: ModelTask): readonly string[] {
  return kindOf(task).declared;
}

/** Whether a path lies where the task's outputs do. */
export function isOutputOf(task: ModelTask, path: string): boolean {
  return kindOf(task).has(path);
}

export function findOutputs(task: ModelTask): string {
  return kindOf(task).find;
}

export function writeOutputs(task: ModelTask): readonly string[] {
  return kindOf(task).write;
}

export function outputsOf(task: ModelTask, text: string): Files {
  return new Map(Object.entries(kindOf(task).made(text, text.split("\n").length, task.value)));
}
