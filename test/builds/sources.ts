import type { Files, ModelFile } from "./build-model.ts";
import { ignoreLines } from "./ignored-files.ts";
import type { Random } from "./random.ts";

/** Read by tasks that ask a tool, and by those that have a secret. */
export const toolFile = "tools/answer.txt";
export const secretFile = "tools/secret.txt";

/** `src/k.txt` is a file or a folder. */
export const paths = [
  "src/a.txt",
  "src/b.txt",
  "src/c.md",
  "src/d/e.txt",
  "src/d/f.md",
  "src/d/g/h.txt",
  "src/[i]/é.txt",
  "src/k.txt",
  "src/k.txt/x.txt",
  "src/k.txt/y.md",
  "j.txt",
  "mix/t0/in.txt",
  "mix/t1/in.txt",
  ".gitignore",
  "src/.gitignore",
  "src/d/.gitignore",
  toolFile,
  secretFile,
];
/** What may be links, and to what: a file, a folder, nothing, one or the other. */
const linkPaths = new Set(["src/a.txt", "src/c.md"]);
const linkTargets = ["b.txt", "d/e.txt", "nowhere", "d", "k.txt"];
const texts = ["1", "2", "3", "", "1\n2\n"];

/** Tools and resolvers fail without it, and outputs have to be ignored. */
export function isNeeded(path: string): boolean {
  return path === toolFile || path === secretFile || path === ".gitignore";
}

export function randomSources(random: Random): Files {
  const sources = new Map<string, ModelFile>();
  for (const path of paths) {
    const share = path.endsWith("/.gitignore") || path === "src/k.txt" ? 30 : 75;
    if (isNeeded(path) || random.percent(share)) putSource(sources, path, randomFile(random, path));
  }
  return sources;
}

/** It takes the place of the file above it, or of the files below it. */
function putSource(sources: Map<string, ModelFile>, path: string, file: ModelFile): void {
  for (const other of sources.keys())
    if (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) sources.delete(other);
  sources.set(path, file);
}

function randomFile(random: Random, path: string): ModelFile {
  if (path === toolFile) return { text: `answer-${random.below(3)}\n`, executable: false };
  if (path === secretFile) return { text: `secret-${random.below(3)}\n`, executable: false };
  if (path === ".gitignore")
    return { text: `/out\n/mix\n${randomLines(random)}`, executable: false };
  if (path.endsWith(".gitignore")) return { text: randomLines(random, "*"), executable: false };
  if (linkPaths.has(path) && random.percent(20))
    return { text: "", executable: false, link: random.pick(linkTargets) };
  return { text: random.pick(texts), executable: random.percent(15) };
}

function randomLines(random: Random, ...more: readonly string[]): string {
  const lines = random.some([...ignoreLines, ...more], 3);
  return (random.percent(50) ? lines : lines.toReversed()).map((line) => `${line}\n`).join("");
}

export interface SourceEdit {
  readonly sources: Files;
  readonly what: string;
}

/** The sources after somebody wrote, removed or moved one. */
export function editSources(random: Random, before: Files, tasks: readonly string[]): SourceEdit {
  const sources = new Map(before);
  const path = random.percent(15) ? `src/fail-${random.pick(tasks)}` : random.pick(paths);
  const other = random.pick(paths);
  if (canMove(before, path, other) && random.percent(30)) {
    const moved = before.get(path);
    sources.delete(path);
    if (moved !== undefined) sources.set(other, moved);
    return { sources, what: `move ${path} to ${other}` };
  }
  const share = path.startsWith("src/fail-") ? 90 : 25;
  if (before.has(path) && !isNeeded(path) && random.percent(share)) {
    sources.delete(path);
    return { sources, what: `remove ${path}` };
  }
  const file = randomFile(random, path);
  putSource(sources, path, file);
  const { text, executable, link } = file;
  const what = `write ${path} ${JSON.stringify(text)}${executable ? " x" : ""}${link === undefined ? "" : ` -> ${link}`}`;
  return { sources, what };
}

function canMove(sources: Files, from: string, to: string): boolean {
  const file = sources.get(from);
  if (file === undefined || file.link !== undefined || isNeeded(from)) return false;
  const isTaken = (path: string): boolean =>
    path === to || path.startsWith(`${to}/`) || to.startsWith(`${path}/`);
  return ![...sources.keys()].some(isTaken);
}
