// Prints the key of one task, and the readable pre-image's hash: `node print-key.ts ROOT`. Run in fresh processes by
// build-action.test.ts; every list and map is given in an order of chance, as a hash map of another process would.
import { createFileIndex, hashText } from "@cuenv/digest";
import process from "node:process";
import { generateCacheKey } from "../src/index.ts";

function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, weight: Math.random() }))
    .toSorted((left, right) => left.weight - right.weight)
    .map(({ item }) => item);
}

function shuffled(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(shuffle(Object.entries(record)));
}

const [root = ""] = process.argv.slice(2);
const digest = hashText("sha256", "output");
const key = generateCacheKey({
  index: createFileIndex({ root, digestFunction: "sha256", stateFile: undefined }),
  digestFunction: "sha256",
  task: "build",
  command: ["sh", "-c", "echo ä > dist/out"],
  projectDirectory: "p",
  workingDirectory: "src",
  inputs: shuffle(["src", "//shared/**", "!**/*.log", "*.json"]),
  outputs: shuffle(["dist", "report.txt"]),
  environment: {
    host: { ...process.env, INCLUDED_B: "2", INCLUDED_A: "1", Ä: "3" },
    declared: shuffled({ MODE: "fast", I: "i", İ: "dotted", ı: "dotless", TOKEN: "secret" }),
    secrets: ["TOKEN"],
    secretSalt: "salt",
    include: shuffle(["INCLUDED_*", "Ä"]),
    exclude: [],
  },
  dependencyOutputs: shuffle(
    ["lib", "gen"].map((task) => ({
      task,
      projectDirectory: task,
      patterns: ["dist"],
      nodes: [{ kind: "file" as const, path: `${task}/dist/o`, digest, executable: false }],
    })),
  ),
  dependencyKeys: shuffle([
    { task: "a", key: "1" },
    { task: "b", key: "2" },
  ]),
  tools: shuffle([
    { command: "node --version", output: "v26.10.0" },
    { command: "cc --version", output: "13" },
  ]),
  customKeyComponents: shuffled({ z: "1", a: "2", ß: "3" }),
  timeoutMs: 1500,
});
console.log(`${key.hash} ${hashText("sha256", JSON.stringify(key.components)).hash}`);
