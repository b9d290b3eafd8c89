import { type Digest, hashBytes } from "@cuenv/digest";
import { afterEach } from "vitest";
import {
  openRemoteCache,
  type OpenRemoteCacheOptions,
  type RemoteCache,
} from "../src/open-remote-cache.ts";
import { type FakeServer, type Scripted, startFakeServer } from "./fake-server.ts";

export const digestOf = (bytes: Uint8Array): Digest => hashBytes("sha256", bytes);
export const keyOf = (text: string) => ({
  digest: digestOf(Buffer.from(text)),
  namespace: "default",
});

/** What a test started; the last first. */
export const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

export const defaults = {
  digestFunction: "sha256",
  namespace: "default",
  token: "a-token-for-everything",
  timeoutMs: 2_000,
  maxConcurrent: 10,
  version: "0.0.0",
} as const;

export function open(address: string, options: Partial<OpenRemoteCacheOptions> = {}): RemoteCache {
  const cache = openRemoteCache({
    endpoint: `grpc://${address}`,
    ...defaults,
    ...options,
  });
  cleanups.push(() => cache.close());
  return cache;
}

export async function scripted(...methods: Scripted[]): Promise<FakeServer> {
  const server = await startFakeServer(methods);
  cleanups.push(() => server.close());
  return server;
}

export async function readAll(cache: RemoteCache, digest: Digest): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of cache.blobs.read(digest)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Code and text of what a step fails with. */
export async function failureOf(step: () => Promise<unknown>): Promise<string> {
  try {
    await step();
    return "no failure";
  } catch (error) {
    return `${error instanceof Error && "code" in error ? String(error.code) : ""} ${String(error)}`;
  }
}
