import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { arch, platform } from "node:os";
import { CuenvError } from "@cuenv/errors";
import { ownVariables } from "../run/host-environment.ts";

/** A tool that does not say its version in this time (ms) will not. */
const toolTimeoutMs = 30_000;

/**
 * A short digest of the platform and of what the `runtime` commands of the settings print in turbo's root (`node --version`); undefined when none are configured.
 * Turbo's hashes know neither, so results of another compiler or system are hits to it: a cache of its own for each keeps them apart.
 * @throws {CuenvError} TURBO_RUNTIME when a command fails
 */
export function runtimeDigest(commands: readonly string[], root: string): string | undefined {
  if (commands.length === 0) return undefined;
  const hash = createHash("sha256").update(`${platform()} ${arch()}\n`);
  for (const command of commands) hash.update(`${command}\n${printed(command, root)}\n`);
  return hash.digest("hex").slice(0, 16);
}

function printed(command: string, cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync("sh", ["-c", command], {
    cwd,
    env: ownVariables(),
    encoding: "utf8",
    timeout: toolTimeoutMs,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (status === 0) return stdout === "" ? stderr : stdout;
  const reason = error?.message ?? `exit code ${status}`;
  throw new CuenvError(
    "TURBO_RUNTIME",
    `cannot run turbo: the runtime command ${JSON.stringify(command)} failed: ${reason}`,
    {
      hint: "It is `runtime` of the settings; cuenv cache config shows where it is set.",
    },
  );
}
