// The yardstick for cold runs: builds the generated packages in dependency order, two at once, without any cache.
//   node raw-runner.mjs REPOSITORY
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const packages = join(process.argv[2], "packages");
const slots = 2;
const waiting = new Map(
  readdirSync(packages).map((name) => {
    const list = readFileSync(join(packages, name, "dependencies.txt"), "utf8");
    return [name, list.split("\n").filter(Boolean)];
  }),
);
const done = new Set();
let running = 0;
startWhatCan();

function startWhatCan() {
  for (const [name, needs] of waiting) {
    if (running === slots) return;
    if (!needs.every((need) => done.has(need))) continue;
    waiting.delete(name);
    running += 1;
    const child = spawn("sh", ["build.sh"], { cwd: join(packages, name), stdio: "ignore" });
    child.on("exit", (code) => {
      if (code !== 0) process.exit(1);
      running -= 1;
      done.add(name);
      startWhatCan();
    });
  }
}
