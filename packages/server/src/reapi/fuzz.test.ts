import { hashBytes } from "@cuenv/digest";
import { ByteStream } from "@cuenv/reapi/messages";
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { type ClientHttp2Session, connect } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ForkedServer, forkServer } from "../../test/forked-server.ts";
import { type GrpcClient, openGrpcClient } from "../../test/grpc-client.ts";
import { type HostileCall, hostileCall } from "../../test/hostile-calls.ts";
import { hostileConnection } from "../../test/hostile-connection.ts";
import type { KnownBlobs, Making } from "../../test/hostile-names.ts";
import { storeSeeds } from "../../test/hostile-seeds.ts";
import { makeHostileCall, problemOf } from "../../test/make-hostile-call.ts";
import { token } from "../../test/running-server.ts";
import { createRandom } from "../../test/seeded-random.ts";

/** `npm run test:fuzz` makes a hundred times as many. */
const calls = Number(process.env["CUENV_FUZZ_CALLS"] ?? 1000);
const seed = Number(process.env["CUENV_FUZZ_SEED"] ?? randomInt(2 ** 31));
const lanes = 4;
const callsAtOnce = 4;
const callsPerSession = 500;
/** The longest that a call of these sets itself is 60 ms, and what others take is a matter of the machine: this is for one that hangs. */
const deadlineMs = 20_000;
const maxPeakBytes = 768 * 1024 * 1024;
/** What broke off and waits to be resumed (uploads.ts). */
const maxTemporaryFiles = 64;
const uploadIds = Array.from({ length: 3 }, (_, index) => `upload-${index}`);

let server: ForkedServer;
let client: GrpcClient;
let known: KnownBlobs;
beforeAll(async () => {
  server = await forkServer();
  client = openGrpcClient(`127.0.0.1:${server.port}`, { token });
  known = { blobs: await storeSeeds(client, createRandom(seed, -1)) };
});
afterAll(async () => {
  client.close();
  await server.stop();
});

/** Runs numbers 0 … `count` in lanes beside one another. */
async function inLanes(count: number, step: (next: () => number | undefined) => Promise<void>) {
  let made = 0;
  const next = (): number | undefined => (made < count ? made++ : undefined);
  await Promise.all(Array.from({ length: lanes }, () => step(next)));
}

function makingOf(index: number): Making {
  const random = createRandom(seed, index);
  return { random, known, uploadIds, wildness: random.pick([0, 0.03, 0.03, 0.1, 0.5]) };
}

/** Calls beside one another on one connection, and others on their own. */
async function callLane(next: () => number | undefined, problems: string[]): Promise<void> {
  const session = openSession();
  let made = 0;
  const make = async (index: number): Promise<void> => {
    const call = hostileCall(makingOf(index));
    const isAlone = call.isMalformed || call.ending === "vanish";
    const own = isAlone ? openSession() : undefined;
    const ending = await makeHostileCall(own ?? session, call, deadlineMs);
    own?.destroy();
    const problem = problemOf(call, ending);
    if (problem !== undefined) problems.push(`call ${index}: ${problem}\n${described(call)}`);
  };
  await Promise.all(
    Array.from({ length: callsAtOnce }, async () => {
      for (let index = next(); index !== undefined && problems.length < 5; index = next()) {
        await make(index);
        made += 1;
        if (made >= callsPerSession) return;
      }
    }),
  );
  session.destroy();
  if (made >= callsPerSession) await callLane(next, problems);
}

function openSession(): ClientHttp2Session {
  // Node's client refuses its own calls while others of the connection have more than 10 MB under way.
  const session = connect(`http://127.0.0.1:${server.port}`, { maxSessionMemory: 1000 });
  session.on("error", () => undefined);
  return session;
}

function described({ headers, pieces, ending }: HostileCall): string {
  const body = Buffer.concat(pieces);
  const hex = body.subarray(0, 300).toString("hex");
  return `${JSON.stringify(headers)} ${pieces.length} pieces, ${body.length} bytes, ${ending}: ${hex}`;
}

/** Handlers of calls that were cancelled end a little later than these. */
async function settled() {
  for (let waitedMs = 0; waitedMs < deadlineMs; waitedMs += 100) {
    const state = await server.state();
    if (state.running === 0) return state;
    await delay(100);
  }
  return server.state();
}

describe(`fuzz of the gRPC server (CUENV_FUZZ_SEED=${seed})`, () => {
  it("ends every call with a status that blames the client, and none of its handlers hangs", async () => {
    const problems: string[] = [];
    await inLanes(calls, (next) => callLane(next, problems));
    expect(problems, `CUENV_FUZZ_SEED=${seed} has this again`).toEqual([]);
    const state = await settled();
    expect(state).toMatchObject({ running: 0, troubles: [] });
    expect(state.temporaryFiles).toBeLessThanOrEqual(maxTemporaryFiles);
  });

  it("outlives what is no HTTP/2, and calls that are reset at any moment", async () => {
    const { handled } = await server.state();
    await inLanes(Math.ceil(calls / 10), async (next) => {
      for (let index = next(); index !== undefined; index = next())
        await hostileConnection(makingOf(-2 - index), server.port);
    });
    const state = await settled();
    expect(state).toMatchObject({ running: 0, troubles: [] });
    expect(state.handled).toBeGreaterThan(handled);
  });

  it("serves others as before, in bounded memory", async () => {
    const bytes = randomBytes(3_000_000);
    const { hash, sizeBytes } = hashBytes("sha256", bytes);
    const name = `blobs/${hash}/${sizeBytes}`;
    await client.send(ByteStream.method.write, [
      { resourceName: `uploads/${randomUUID()}/${name}`, data: bytes, finishWrite: true },
    ]);
    const answers = await client.stream(ByteStream.method.read, { resourceName: name });
    expect(Buffer.concat(answers.map(({ data }) => data)).equals(bytes)).toBe(true);
    const { rssBytes, peakRssBytes } = await server.state();
    process.stdout.write(
      `${calls} hostile calls (CUENV_FUZZ_SEED=${seed}): ${mebibytes(rssBytes)} MiB, at most ${mebibytes(peakRssBytes)} MiB\n`,
    );
    expect(peakRssBytes).toBeLessThan(maxPeakBytes);
  });
});

const mebibytes = (bytes: number): number => Math.round(bytes / 1024 ** 2);
