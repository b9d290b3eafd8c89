import {
  createActionCache,
  getActionResult,
  getContent,
  hasActionResult,
  hasContent,
  type TaskResult,
  uploadActionResult,
  uploadContent,
} from "@cuenv/action-cache";
import { actionStoreContract } from "@cuenv/action-cache/contract";
import { blobStoreContract } from "@cuenv/cas/contract";
import { hashBytes } from "@cuenv/digest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bazelRemoteProgram, startBazelRemote } from "../test/bazel-remote.ts";
import { defaults, failureOf, keyOf, open, readAll } from "../test/open-cache.ts";
import { openRemoteCache } from "./open-remote-cache.ts";

const isLacking = (await bazelRemoteProgram()) === undefined;
const lack = "bazel-remote was not built: node tools/bazel-remote.mjs";
if (isLacking) console.warn(`SKIPPED: tests of our client with bazel-remote: ${lack}`);

/** Another's server, which knows nothing of ours. */
describe.skipIf(isLacking)(
  `our client and bazel-remote 2.6.2${isLacking ? ` [SKIPPED: ${lack}]` : ""}`,
  () => {
    let server: Awaited<ReturnType<typeof startBazelRemote>>;
    beforeAll(async () => {
      server = await startBazelRemote();
    });
    afterAll(() => server.stop());

    /** A server of its own for a whole suite. */
    const openOwn = async (compression: boolean) => {
      const own = await startBazelRemote();
      const cache = openRemoteCache({
        ...defaults,
        endpoint: `grpc://${own.address}`,
        compression,
      });
      const close = async (): Promise<void> => {
        cache.close();
        await own.stop();
      };
      return { ...cache, close };
    };
    for (const compression of [false, true])
      blobStoreContract(
        `bazel-remote, ${compression ? "compressed" : "plain"}`,
        async () => {
          const { blobs: store, close } = await openOwn(compression);
          return { store, corrupt: () => undefined, close };
        },
        { canCorrupt: false },
      );
    actionStoreContract(
      "bazel-remote",
      async () => {
        const { actions: store, close } = await openOwn(false);
        return { store, close };
      },
      { isCreateAtomic: false },
    );

    it("row 37: has, gets and uploads content and results by the names of cuenv's first design", async () => {
      const { actions, blobs } = open(server.address, { timeoutMs: 20_000 });
      const cache = createActionCache({ actions, blobs, namespace: "default" });
      const text = Buffer.from("what a task made");
      // Above the 4 MiB of a message: it goes by ByteStream.
      const large = Buffer.alloc(9_000_000, "0123456789");
      for (const content of [text, large, Buffer.alloc(0)]) {
        const digest = hashBytes("sha256", content);
        expect(await hasContent(cache, digest)).toBe(content.length === 0);
        expect(await uploadContent(cache, content)).toEqual(digest);
        expect(await hasContent(cache, digest)).toBe(true);
        expect(Buffer.from(await getContent(cache, digest)).equals(content)).toBe(true);
      }
      const { digest } = keyOf("row 37");
      expect(await hasActionResult(cache, digest)).toBe(false);
      const result: TaskResult = {
        ...emptyResult,
        key: { ...digest, function: "sha256" },
        outputs: [
          { kind: "directory", path: "dist" },
          {
            kind: "file",
            path: "dist/large",
            digest: hashBytes("sha256", large),
            executable: true,
          },
        ],
        stdout: hashBytes("sha256", text),
      };
      await uploadActionResult(cache, result);
      expect(await hasActionResult(cache, digest)).toBe(true);
      expect(await getActionResult(cache, digest)).toMatchObject({ kind: "hit", result });
    });

    it("row 37: names blobs by plain SHA-256, so that another's client finds them", async () => {
      const { blobs } = open(server.address);
      // The digest that sha256sum prints of it.
      const hello = {
        hash: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        sizeBytes: 5,
      };
      await blobs.write(hello, Buffer.from("hello"));
      expect((await readAll(open(server.address), hello)).toString()).toBe("hello");
    });

    it("says so when the server has not the digest function that it is to have", async () => {
      const { blobs } = open(server.address, { digestFunction: "blake3" });
      const failure = await failureOf(() => blobs.ingest(Buffer.from("x")));
      expect(failure).toContain("BLAKE3");
    });
  },
);

const emptyResult: Omit<TaskResult, "key"> = {
  namespace: "default",
  outputs: [],
  declaredOutputs: ["dist"],
  exitCode: 0,
  stdout: null,
  stderr: null,
  keyInputs: null,
  keyEpoch: 0,
  keySchema: 1,
  builder: { id: "local", version: "0.0.0", os: "linux", arch: "x64" },
  startedAt: "2026-11-29T00:00:00.000Z",
  durationMs: 1,
};
