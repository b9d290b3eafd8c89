// A TCP proxy that does to connections what networks do, for the tests of the remote cache, and by hand:
//   node tools/chaos-proxy.mjs --target 127.0.0.1:8485 --latency 20 --jitter 5 --cut 100000 --flip 5000 --drip 1000 | --blackhole | --reset
// As a module: `startChaosProxy({ host, port })`, whose `faults` may be changed at any moment; they hold for what moves from then on.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const help = `Usage: node tools/chaos-proxy.mjs [options]

Passes connections on to a server, with faults, until it is ended. Says on stderr at which port.

  --target HOST:PORT   the server (default 127.0.0.1:8485)
  --latency MS         delay each way; --jitter MS: up to so much more or less
  --cut BYTES          break a connection when so many came from the server
  --flip BYTE          from there on, change one bit of every 1,000 bytes from the server
  --drip BYTES         so many a second from the server
  --blackhole          take connections, and answer nothing
  --reset              reset connections when the first byte comes

Examples:
  node tools/chaos-proxy.mjs --latency 20 --jitter 5
  node tools/chaos-proxy.mjs --target 127.0.0.1:9092 --cut 100000
`;

/**
 * @typedef {object} Faults
 * @property {number} [latencyMs] each way
 * @property {number} [jitterMs] up to so much more or less, at random
 * @property {number} [cutAfterBytes] a connection breaks when so many came from the server, in the middle of what they are
 * @property {number} [flipAtByte] of what comes from the server, from there on one bit of every 1,000 bytes is another; HTTP/2's own frames are hit, too
 * @property {number} [dripBytesPerSecond] from the server
 * @property {number} [uploadBytesPerSecond] to the server
 * @property {boolean} [blackHole] connections are taken, and nothing comes back on them
 * @property {boolean} [reset] connections are reset when the first byte comes
 */

/**
 * @param {{host: string, port: number}} target
 * @returns {Promise<{port: number, faults: Faults, connections: () => number, close: () => Promise<void>}>}
 */
export async function startChaosProxy(target) {
  const proxy = { faults: {}, seen: 0 };
  const sockets = new Set();
  const server = createServer((client) => {
    proxy.seen += 1;
    sockets.add(client);
    client.on("close", () => sockets.delete(client));
    client.on("error", () => undefined);
    join(client, target, proxy);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    get faults() {
      return proxy.faults;
    },
    set faults(faults) {
      proxy.faults = faults;
    },
    connections: () => proxy.seen,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function join(client, target, proxy) {
  if (proxy.faults.reset) {
    client.once("data", () => client.resetAndDestroy());
    return;
  }
  const upstream = connect(target);
  const end = () => {
    client.destroy();
    upstream.destroy();
  };
  for (const socket of [client, upstream]) {
    socket.on("error", end);
    socket.on("close", end);
  }
  forward(client, upstream, proxy, false, (chunk) => [chunk]);
  let bytes = 0;
  forward(upstream, client, proxy, true, (chunk) => {
    const { blackHole, cutAfterBytes = Infinity, flipAtByte = Infinity } = proxy.faults;
    if (blackHole) return [];
    const from = bytes;
    bytes += chunk.length;
    if (bytes > cutAfterBytes) {
      setImmediate(end);
      return [chunk.subarray(0, Math.max(0, cutAfterBytes - from))];
    }
    if (bytes > flipAtByte) flip(chunk, Math.max(0, flipAtByte - from));
    return [chunk];
  });
}

function flip(chunk, start) {
  for (let index = start; index < chunk.length; index += 1000) chunk[index] ^= 0x10;
}

/** In order, each chunk after its delay; drips are cut into pieces of a tenth of a second. */
function forward(from, to, proxy, isAnswer, change) {
  let last = Promise.resolve();
  from.on("data", (chunk) => {
    from.pause();
    last = deliverAfter(last, () => change(chunk), to, proxy, isAnswer).finally(() =>
      from.resume(),
    );
  });
  from.on("end", () => void last.then(() => to.end()));
}

async function deliverAfter(before, change, to, proxy, isAnswer) {
  await before;
  for (const part of change()) await deliver(part, to, proxy.faults, isAnswer);
}

async function deliver(bytes, to, faults, isAnswer) {
  const { latencyMs = 0, jitterMs = 0, dripBytesPerSecond, uploadBytesPerSecond } = faults;
  const bytesPerSecond = isAnswer ? dripBytesPerSecond : uploadBytesPerSecond;
  const delay = latencyMs + (Math.random() * 2 - 1) * jitterMs;
  if (delay > 0) await sleep(delay);
  if (bytesPerSecond === undefined) {
    write(to, bytes);
    return;
  }
  const piece = Math.max(1, Math.floor(bytesPerSecond / 10));
  for (let start = 0; start < bytes.length && !to.destroyed; start += piece) {
    write(to, bytes.subarray(start, start + piece));
    await sleep(100);
  }
}

function write(to, bytes) {
  if (!to.destroyed && bytes.length > 0) to.write(bytes);
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      target: { type: "string" },
      latency: { type: "string" },
      jitter: { type: "string" },
      cut: { type: "string" },
      flip: { type: "string" },
      drip: { type: "string" },
      blackhole: { type: "boolean" },
      reset: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    process.exit();
  }
  const [host, port] = (values.target ?? "127.0.0.1:8485").split(":");
  const proxy = await startChaosProxy({ host, port: Number(port) });
  const number = (text) => (text === undefined ? undefined : Number(text));
  proxy.faults = {
    latencyMs: number(values.latency),
    jitterMs: number(values.jitter),
    cutAfterBytes: number(values.cut),
    flipAtByte: number(values.flip),
    dripBytesPerSecond: number(values.drip),
    blackHole: values.blackhole,
    reset: values.reset,
  };
  process.stderr.write(`127.0.0.1:${proxy.port} is ${host}:${port}, with faults\n`);
}
