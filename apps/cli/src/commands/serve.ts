import { resolve } from "node:path";
import { type CacheMode, type CacheSettings } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import {
  type AnsweredRequest,
  type ArtifactTrust,
  type CacheServer,
  createCacheServer,
  createLimitedPolicy,
  type TlsMaterial,
} from "@cuenv/server";
import type { Invocation } from "../command-line/command.ts";
import { flagSize, flagText } from "../command-line/given.ts";
import { openSettings, type OpenSettings } from "../project/open-project.ts";
import { printErr, printOut } from "../report/terminal.ts";
import { visibleText } from "../report/visible-text.ts";
import { artifactRemote } from "../serve/artifact-remote.ts";
import { artifactTrust } from "../serve/artifact-trust.ts";
import { clientSettings, protocolUrls } from "../serve/client-settings.ts";
import { accessLine } from "../serve/access-line.ts";
import { type ListenAddress, parseListenAddress, urlOf } from "../serve/listen-address.ts";
import { accessPolicy, readServerSettings } from "../serve/server-access.ts";
import { readTlsMaterial } from "../serve/tls-files.ts";
import { type TlsWatch, watchTls } from "../serve/watch-tls.ts";

const defaultAddress = "127.0.0.1:8484";
/** A smaller limit is one whose unit was forgotten, and would empty the folder (1 MiB). */
const leastLimitBytes = 1024 * 1024;
/** Of gRPC, at the host of HTTP, unless told otherwise. */
const defaultGrpcPort = 8485;

/** `cuenv serve`: until it is told to end. */
export async function runServe(invocation: Invocation): Promise<number> {
  const open = await openSettings(invocation);
  const mode = servedMode(invocation, open.settings);
  if (mode === "off") return 0;
  const http = parseListenAddress(flagText(invocation, "http") ?? defaultAddress, "--http");
  const grpc = grpcAddress(flagText(invocation, "grpc"), http);
  const file = flagText(invocation, "config");
  const server = readServerSettings(file);
  const tls = readTlsMaterial(server, file);
  const onTrouble = (message: string): void => printErr(`warning: ${visibleText(message)}\n`);
  const hosts = [http, ...(grpc === undefined ? [] : [grpc.address])].map(({ host }) => host);
  const access = await accessPolicy(server, hosts, onTrouble);
  const isReadOnly = mode === "read";
  const policy = mode === "read-write" ? access : createLimitedPolicy(access, mode);
  const { settings } = open;
  const dir = flagText(invocation, "dir");
  const maxBytes = flagSize(invocation, "max-size", leastLimitBytes);
  const root = dir === undefined ? settings.cacheDir : resolve(dir);
  const { createReapiServer } = await import("@cuenv/server/grpc");
  const cache = createCacheServer({
    root,
    digestFunction: settings.digestFunction,
    durability: settings.durability,
    limits: {
      maxBytes: maxBytes ?? settings.maxSizeBytes,
      maxAgeMs: settings.maxAgeMs,
    },
    evictionPolicy: settings.evictionPolicy,
    policy,
    tls,
    trust: signing(invocation, open, root, onTrouble),
    openRemote: remoteBehind(invocation, settings, isReadOnly, onTrouble),
    isReadOnly,
    tags: server.tags,
    maxArtifactBytes: server.maxArtifactBytes,
    ...(grpc === undefined ? {} : { createGrpc: createReapiServer }),
    onTrouble,
    onRequest: invocation.flags["verbose"] === true ? logRequest : undefined,
  });
  const urls = await begin(cache, { http, grpc, isSecure: tls !== undefined, onTrouble });
  const isChild = invocation.flags["while-stdin"] === true;
  const renewing = renewingTls(cache, tls, () => readTlsMaterial(server, file));
  const ended = Promise.race([
    untilSignal(isChild ? "end" : (renewing?.lookNow ?? "stay")),
    ...(isChild ? [untilStdinEnds()] : []),
  ]);
  announce(invocation, { ...urls, cacheDir: root });
  await ended;
  renewing?.stop();
  if (!isChild) printErr("cuenv serve: ending; running requests have 20 s\n");
  await cache.close();
  return 0;
}

/** Whoever starts a server for a run of his own has it do what the runs of cuenv do; a server for others does not ask what its owner's tasks do. */
function servedMode({ flags }: Invocation, settings: CacheSettings): CacheMode {
  const configured = settings.enabled ? settings.defaultMode : "off";
  const mode = flags["in-cache-mode"] === true ? configured : "read-write";
  if (flags["read-only"] !== true || mode === "off") return mode;
  return mode === "write" ? "off" : "read";
}

/** @throws {CuenvError} as {@link askedFor} and {@link artifactTrust} */
function signing(
  invocation: Invocation,
  open: OpenSettings,
  root: string,
  onTrouble: (message: string) => void,
): ArtifactTrust | undefined {
  return askedFor(invocation, ["sign", "sign-unless-off"], {
    make: () => artifactTrust(open, root, onTrouble),
    lacking: "cannot sign artifacts: CUENV_TRUST is off",
    hint: "Without it, or with CUENV_TRUST=local, they are signed with this machine's key.",
  });
}

/** @throws {CuenvError} as {@link askedFor} */
function remoteBehind(
  invocation: Invocation,
  settings: CacheSettings,
  isReadOnly: boolean,
  onTrouble: (message: string) => void,
): ReturnType<typeof artifactRemote> {
  return askedFor(invocation, ["remote", "remote-if-configured"], {
    make: () => artifactRemote({ settings, isReadOnly, onTrouble }),
    lacking: "cannot put a remote cache behind the server: none is used here",
    hint: "Give its address as `remoteCache: {endpoint: …}` in the configuration, or as CUENV_REMOTE_CACHE_ENDPOINT; with downloads or uploads enabled.",
  });
}

/**
 * What one of two flags asks for: the first insists, the second takes what there is.
 * @throws {CuenvError} USAGE where the first is given and there is none
 */
function askedFor<Value>(
  { flags }: Invocation,
  [firm, soft]: readonly [firm: string, soft: string],
  choice: {
    readonly make: () => Value | undefined;
    readonly lacking: string;
    readonly hint: string;
  },
): Value | undefined {
  const isFirm = flags[firm] === true;
  if (!isFirm && flags[soft] !== true) return undefined;
  const made = choice.make();
  if (made !== undefined || !isFirm) return made;
  throw new CuenvError("USAGE", choice.lacking, { hint: choice.hint });
}

interface GrpcAddress {
  readonly address: ListenAddress;
  /** False: it is the default, which another program may have taken. */
  readonly isAskedFor: boolean;
}

/** Undefined: `--grpc off`. Where any port will do for HTTP, any will do for gRPC. */
function grpcAddress(given: string | undefined, http: ListenAddress): GrpcAddress | undefined {
  if (given === "off") return undefined;
  if (given !== undefined)
    return { address: parseListenAddress(given, "--grpc"), isAskedFor: true };
  const port = http.port === 0 ? 0 : defaultGrpcPort;
  return { address: { host: http.host, port }, isAskedFor: false };
}

/** Listens at all addresses, or at none. @throws {CuenvError} SERVER_LISTEN */
async function begin(
  cache: CacheServer,
  where: {
    readonly http: ListenAddress;
    readonly grpc: GrpcAddress | undefined;
    readonly isSecure: boolean;
    readonly onTrouble: (message: string) => void;
  },
): Promise<Pick<Served, "url" | "grpcUrl">> {
  const { http, grpc, isSecure, onTrouble } = where;
  try {
    const url = urlOf(await listen(cache, http, "--http"), isSecure ? "https" : "http");
    const bound = await listenGrpc(cache, grpc, onTrouble);
    return { url, grpcUrl: bound && urlOf(bound, isSecure ? "grpcs" : "grpc") };
  } catch (error) {
    await cache.close();
    throw error;
  }
}

async function listenGrpc(
  { grpc }: CacheServer,
  wanted: GrpcAddress | undefined,
  onTrouble: (message: string) => void,
): Promise<ListenAddress | undefined> {
  if (grpc === undefined || wanted === undefined) return undefined;
  try {
    return await listen(grpc, wanted.address, "--grpc");
  } catch (error) {
    if (wanted.isAskedFor || !(error instanceof CuenvError)) throw error;
    onTrouble(`gRPC is not served: ${error.message}; --grpc takes another address, or off`);
    return undefined;
  }
}

async function listen(
  server: Pick<CacheServer, "listen">,
  address: ListenAddress,
  flag: "--http" | "--grpc",
): Promise<ListenAddress> {
  try {
    return await server.listen(address);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    const what = code === "EADDRINUSE" ? "another program listens there" : code;
    const shown = urlOf(address, flag === "--http" ? "http" : "grpc");
    throw new CuenvError("SERVER_LISTEN", `cannot listen at ${shown}: ${what}`, {
      hint: `${flag} takes another address; port 0 is any that is free.`,
      cause,
    });
  }
}

interface Served {
  readonly url: string;
  /** Undefined: gRPC is not served. */
  readonly grpcUrl: string | undefined;
  readonly cacheDir: string;
}

/** For people what to set, by client; or one document: scripts that start a server with port 0 read the addresses from it. */
function announce(invocation: Invocation, { url, grpcUrl, cacheDir }: Served): void {
  if (invocation.flags["json"] === true) {
    const protocols = protocolUrls(url, grpcUrl);
    printOut(`${JSON.stringify({ version: 1, url, grpcUrl, cacheDir, protocols })}\n`);
    return;
  }
  printErr(`cuenv serves ${cacheDir}\n${clientSettings(url, grpcUrl)}`);
}

/** Undefined: nothing is encrypted. */
function renewingTls(
  cache: CacheServer,
  current: TlsMaterial | undefined,
  reread: () => TlsMaterial | undefined,
): TlsWatch | undefined {
  if (current === undefined) return undefined;
  return watchTls({
    current,
    read: () => reread() ?? current,
    use: (material) => cache.renewTls(material),
    onTrouble: (message) => printErr(`warning: ${message}\n`),
    onRenewed: (message) => printErr(`cuenv serve: ${message}\n`),
  });
}

/**
 * SIGHUP tells a service to read its certificates again, as its users expect, and comes to one that `nohup` started, whose wish our handler would undo; in a
 * terminal it says that the terminal is gone.
 */
function untilSignal(onHangup: "end" | "stay" | (() => void)): Promise<void> {
  return new Promise((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
    process.on("SIGHUP", () => {
      const isInTerminal = process.stdin.isTTY || process.stderr.isTTY;
      if (onHangup === "end" || isInTerminal) done();
      else if (onHangup === "stay")
        printErr("cuenv serve: SIGHUP: no TLS, nothing to read again\n");
      else onHangup();
    });
  });
}

/** Whoever started us holds the other end, and lets go of it however he ends. */
function untilStdinEnds(): Promise<void> {
  return new Promise((done) => {
    for (const event of ["end", "close", "error"] as const) process.stdin.once(event, () => done());
    process.stdin.resume();
  });
}

function logRequest(request: AnsweredRequest): void {
  printErr(accessLine(request, new Date()));
}
