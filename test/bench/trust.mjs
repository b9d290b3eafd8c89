// `node test/bench/trust.mjs`: what signing and verifying cost. First per task, in this process; then the warm run of a monorepo with trust
// off, local, and local with nothing remembered, interleaved. The gates are those of the issue: 1 ms per task, 15 ms per 200 tasks.
//   --rounds N  --packages N
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { createSigner, createVerifier } from "../../packages/signer/src/index.ts";
import { generateKeyPair } from "../../packages/signer/src/keys.ts";
import { ensureBuilt } from "../../tools/build-cli.mjs";
import { generateMonorepo } from "../../tools/generate-monorepo.mjs";
import { root } from "../../tools/workspace.mjs";
import { measureWall, median } from "./measure.mjs";
import { workFolder } from "./work-folder.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "11" },
    packages: { type: "string", default: "200" },
  },
});
const rounds = Number(options.rounds);
const perTaskGateMs = 1;
const warmGateMs = 15;

const perTask = perTaskMs();
print(`sign ${perTask.sign.toFixed(3)} ms, verify ${perTask.verify.toFixed(3)} ms per task`);
const warm = await warmRuns();
for (const [name, ms] of warm)
  print(`warm, ${options.packages} tasks, trust ${name}: ${ms.toFixed(1)} ms`);
const slower = warm.get("local") - warm.get("off");
print(`verifying makes the warm run slower by ${slower.toFixed(1)} ms`);
if (perTask.sign + perTask.verify > perTaskGateMs || slower > warmGateMs) process.exitCode = 1;

function perTaskMs() {
  const pair = generateKeyPair();
  const signer = createSigner(pair);
  const verifier = createVerifier({ mode: "local", trusted: new Map(), ownKey: pair });
  const type = "application/vnd.cuenv.task-result.v1+json";
  // An entry with 20 outputs has about so many bytes.
  const payloads = Array.from({ length: 1000 }, (_, index) =>
    Buffer.alloc(4000, `result ${index}`),
  );
  const since = performance.now();
  const envelopes = payloads.map((payload) => ({
    payload,
    payloadType: type,
    signatures: [signer.sign(type, payload)],
  }));
  const signed = performance.now();
  for (const envelope of envelopes) {
    const { kind } = verifier.verify(envelope, { namespace: "default" });
    if (kind !== "accepted") throw new Error("a good signature was refused");
  }
  const verified = performance.now();
  return {
    sign: (signed - since) / payloads.length,
    verify: (verified - signed) / payloads.length,
  };
}

async function warmRuns() {
  await ensureBuilt();
  const folder = join(workFolder, "trust");
  const out = join(folder, "repository");
  rmSync(folder, { recursive: true, force: true });
  generateMonorepo({ out, packages: Number(options.packages), files: 25, tool: "cuenv" });
  const launcher = join(root, "apps", "cli", "bin", "cuenv.js");
  const command = (name, mode) => ({
    argv: [process.execPath, launcher, "task", "*:build"],
    cwd: out,
    env: {
      PATH: process.env.PATH,
      HOME: join(folder, "home"),
      CUENV_CACHE_DIR: join(folder, `cache-${name}`),
      CUENV_TRUST: mode,
    },
  });
  const kinds = [
    { name: "off", ...command("off", "off") },
    { name: "local", ...command("local", "local") },
    {
      name: "local, nothing remembered",
      ...command("forgetful", "local"),
      forgets: "cache-forgetful",
    },
  ];
  for (const kind of kinds) for (let run = 0; run < 3; run += 1) await measureWall(kind);
  const times = new Map(kinds.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const index of kinds.keys()) {
      const kind = kinds[(index + round) % kinds.length];
      if (kind.forgets !== undefined) forget(join(folder, kind.forgets, "v1", "workspaces"));
      const { wallMs, output } = await measureWall(kind);
      if (!output.includes(`${options.packages} hit, 0 ran`))
        throw new Error(`no warm run:\n${output}`);
      times.get(kind.name).push(wallMs);
    }
  }
  return new Map([...times].map(([name, all]) => [name, median(all)]));
}

function forget(workspaces) {
  for (const name of readdirSync(workspaces, { recursive: true }))
    if (name.endsWith("signatures.bin")) rmSync(join(workspaces, name));
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
