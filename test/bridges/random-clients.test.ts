import { hash } from "node:crypto";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Random, randomFrom } from "../builds/random.ts";
import { createSandbox, type Sandbox } from "../e2e/sandbox.ts";
import { type Serving, startServing } from "../e2e/serving.ts";
import { type ArtifactModel, createArtifactModel } from "./artifact-model.ts";

/** How long clients ask (s); longer after changes of the server or the store: CONTRIBUTING.md. */
const seconds = Number(process.env["CUENV_RANDOM_CLIENTS"] ?? 3);
const seed = Number(process.env["CUENV_RANDOM_SEED"] ?? 1);
const clients = 8;
const maxArtifactBytes = 4_000_000;
/** Beside the limits of what is read at once (2 MiB), and of an artifact. */
const sizes = [0, 100, 65_536, 300_000, 2_097_152 - 64, 2_097_153, maxArtifactBytes];

/** By token: the namespaces that it reads, and the one that it writes. */
const tokens: Readonly<Record<string, { readonly reads: string[]; readonly writes?: string }>> = {
  main: { reads: ["acme"], writes: "acme" },
  reader: { reads: ["acme"] },
  writer: { reads: [], writes: "acme" },
  request: { reads: ["acme-pr", "acme"], writes: "acme-pr" },
  other: { reads: ["other"], writes: "other" },
};
const scopes = ({ reads, writes }: (typeof tokens)[string]) => [
  ...(reads.length > 0 ? ["read"] : []),
  ...(writes === undefined ? [] : ["write"]),
];
const config = {
  maxArtifactBytes,
  tokens: Object.entries(tokens).map(([name, token]) => ({
    name,
    sha256: hash("sha256", name),
    namespaces: [token.writes ?? token.reads[0]],
    scopes: scopes(token),
    ...(token.reads.length > 1 ? { readsThrough: token.reads.slice(1) } : {}),
  })),
};
const paths: Readonly<Record<string, (key: string) => string>> = {
  turborepo: (key) => `/v8/artifacts/${key.slice(0, 16)}`,
  ccache: (key) => `/ccache/${key.slice(0, 2)}/${key.slice(2, 40)}`,
  sccache: (key) => `/sccache/${key[0]}/${key[1]}/${key[2]}/${key}`,
  gradle: (key) => `/gradle/${key.slice(0, 32)}`,
  pnpm: (key) => `/pnpm/v8/artifacts/${key}`,
};

interface Answer {
  /** 0: none that is whole. */
  readonly status: number;
  readonly body: Buffer;
}

interface Ask {
  readonly token: string;
  readonly method: string;
  readonly body?: Buffer;
  /** The client goes away behind so many bytes of its body. */
  readonly cutAt?: number | undefined;
}

function send(
  { url }: Serving,
  path: string,
  { token, method, body, cutAt }: Ask,
): Promise<Answer> {
  const length = body === undefined ? {} : { "content-length": String(body.length) };
  const headers = { authorization: `Bearer ${token}`, ...length };
  return new Promise((resolve, reject) => {
    const hung = setTimeout(() => reject(new Error(`no answer to ${method} ${path}`)), 30_000);
    const end = (answer: Answer): void => {
      clearTimeout(hung);
      resolve(answer);
    };
    const none = { status: 0, body: Buffer.alloc(0) };
    const outgoing = request(`${url}${path}`, { method, headers, agent: false });
    outgoing.on("error", () => end(none));
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", () => undefined);
      incoming.on("close", () => {
        const status = incoming.complete ? (incoming.statusCode ?? 0) : 0;
        end({ status, body: Buffer.concat(chunks) });
      });
    });
    if (cutAt === undefined) outgoing.end(body);
    else outgoing.write(body?.subarray(0, cutAt), () => void outgoing.destroy());
  });
}

interface Crowd {
  readonly serving: Serving;
  readonly model: ArtifactModel;
  /** Somebody takes away what is stored. */
  readonly isEvicted: boolean;
}

async function store({ serving, model }: Crowd, random: Random, token: string): Promise<void> {
  const [protocol, name] = randomPlace(random);
  const { writes } = tokens[token] ?? {};
  const isRemoval = protocol !== "turborepo" && random.percent(15);
  const place = `${protocol} ${writes ?? "nowhere"} ${name}`;
  const attempt = isRemoval ? model.beginRemoval(place) : model.begin(place, random.pick(sizes));
  const { bytes } = attempt;
  const cutAt = !isRemoval && random.percent(15) ? random.below(bytes.length) : undefined;
  const method = isRemoval ? "DELETE" : "PUT";
  const body = isRemoval ? {} : { body: bytes, cutAt };
  const { status } = await send(serving, pathOf(protocol, name), { token, method, ...body });
  const isStored = status >= 200 && status < 300;
  model.end(attempt, cutAt === undefined ? isStored : false);
  if (cutAt !== undefined) return;
  const isTooLarge = bytes.length > maxArtifactBytes;
  const wanted = writes === undefined ? 403 : isTooLarge && !isRemoval ? 413 : undefined;
  if (wanted === undefined ? !isStored : status !== wanted)
    throw new Error(`${method} of ${bytes.length} bytes by ${token} to ${place}: ${status}`);
}

async function read(crowd: Crowd, random: Random, token: string): Promise<void> {
  const { serving, model, isEvicted } = crowd;
  const [protocol, name] = randomPlace(random);
  const places = (tokens[token]?.reads ?? []).map((each) => `${protocol} ${each} ${name}`);
  const isCertain = places.some((place) => model.isCertain(place));
  const askedAt = performance.now();
  const asked = { token, method: "GET" };
  const { status, body } = await send(serving, pathOf(protocol, name), asked);
  const what = `GET by ${token} of ${protocol} ${name}: ${status}`;
  if (status === 200) {
    const problems = places.map((place) => model.problemOf(place, body, askedAt));
    if (!problems.includes(undefined)) throw new Error(`${what}, ${problems.join("; ")}`);
  } else if (isEvicted && (status === 404 || status === 0)) return;
  else if (status !== 404 || isCertain) throw new Error(what);
}

function randomPlace(random: Random): readonly [protocol: string, name: string] {
  return [random.pick(Object.keys(paths)), `n${random.below(6)}`];
}

function pathOf(protocol: string, name: string): string {
  return paths[protocol]?.(hash("sha256", name)) ?? "";
}

async function askAtOnce(crowd: Crowd): Promise<void> {
  const until = Date.now() + seconds * 1000;
  const client = async (at: number): Promise<void> => {
    const random = randomFrom(seed * clients + at);
    while (Date.now() < until) {
      const token = random.pick(Object.keys(tokens));
      await (random.percent(40) ? store : read)(crowd, random, token);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, at) => client(at)));
}

async function tidy(sandbox: Sandbox, signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round += 1) {
    const limit = round % 3 === 2 ? ["--max-age", "1ms"] : ["--max-size", "4MiB"];
    const { code, stderr } = await sandbox.cuenv(["cache", "prune", ...limit]);
    expect(code, stderr).toBe(0);
    await sleep(200);
  }
}

describe("random clients of cuenv serve, all at once", () => {
  it.each([
    ["get what was stored last, whole, of their namespaces alone", false],
    ["get that or nothing while somebody tidies the cache", true],
  ])(`%s (CUENV_RANDOM_SEED=${seed})`, async (_, isEvicted) => {
    const sandbox = createSandbox({});
    const dir = sandbox.cacheDir;
    const serving = await startServing({}, { config, dir, flags: ["--grpc", "off"] });
    const asking = askAtOnce({ serving, model: createArtifactModel(), isEvicted });
    const tidying = new AbortController();
    const over = asking.finally(() => tidying.abort());
    over.catch(() => undefined);
    try {
      if (isEvicted) await tidy(sandbox, tidying.signal);
      await over;
      expect(serving.said()).toBe("");
    } finally {
      await serving.stop();
    }
  });
});
