import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const timeProgram = "/usr/bin/time";
/** GNU time; without it there are no CPU and memory figures. */
export const hasTimeProgram = existsSync(timeProgram);

/**
 * Runs a command to its end and gives wall time and what it printed. Fails if the command fails.
 * @param {{argv: string[], cwd: string, env: Record<string, string>}} command
 */
export async function measureWall({ argv, cwd, env }) {
  const since = performance.now();
  const { code, output } = await run(argv, cwd, env);
  const wallMs = performance.now() - since;
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code} in ${cwd}:\n${output}`);
  return { wallMs, output };
}

/**
 * CPU time of the command and all its children, and the memory of the largest of them, from wait4(2). Apart from
 * the runs for wall time, because the wrapper is one more process.
 */
export async function measureUsage({ argv, cwd, env }) {
  const folder = mkdtempSync(join(tmpdir(), "cuenv-bench-"));
  const file = join(folder, "usage");
  try {
    const { code, output } = await run(
      [timeProgram, "-o", file, "-f", "%U %S %M", ...argv],
      cwd,
      env,
    );
    if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code} in ${cwd}:\n${output}`);
    const [user, system, kibibytes] = readFileSync(file, "utf8").trim().split(" ").map(Number);
    return { cpuMs: (user + system) * 1000, rssMiB: kibibytes / 1024 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run([program, ...args], cwd, env) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", fail);
    // "exit", not "close": a daemon that a tool leaves behind may keep the pipes open.
    child.on("exit", (code, signal) => {
      setImmediate(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        done({ code: code ?? signal, output: Buffer.concat(chunks).toString() });
      });
    });
  });
}

export function median(numbers) {
  const sorted = numbers.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
