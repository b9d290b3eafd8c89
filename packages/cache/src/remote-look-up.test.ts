import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ActionStore } from "@cuenv/action-cache";
import { type BlobStore, createMemoryBlobStore } from "@cuenv/cas";
import { type Digest, hashText } from "@cuenv/digest";
import { beforeEach, describe, expect, it } from "vitest";
import {
  base,
  events,
  open,
  root,
  run,
  task,
  typesOf,
  useEngineFolder,
} from "../test/engine-rig.ts";
import { type FakeRemote, fakeRemote, machine } from "../test/fake-remote.ts";
import type { CacheEvent } from "./cache-event.ts";

useEngineFolder();

let remote: FakeRemote;
beforeEach(() => {
  remote = fakeRemote();
});

const clean = (): void => rmSync(join(root, "out"), { recursive: true, force: true });
const troubles = (): CacheEvent[] => events.filter(({ type }) => type === "trouble");
const made = (): string => readFileSync(join(root, "out/result"), "utf8");

/** Another machine ran the task, and sent its result. */
async function storedElsewhere(): Promise<void> {
  await run({ opened: machine("one", remote.options()) });
  clean();
  events.length = 0;
}

const withBlobs = (
  changed: Partial<BlobStore>,
): { readonly tier: { readonly blobs: BlobStore } } => ({
  tier: { blobs: { ...remote.blobs, ...changed } },
});
const withActions = (
  changed: Partial<ActionStore>,
): { readonly tier: { readonly actions: ActionStore } } => ({
  tier: { actions: { ...remote.actions, ...changed } },
});

describe("a remote cache behind the local one", () => {
  it("row 27: makes the key, looks here, then there, misses, runs, stores here, then sends", async () => {
    await run({ opened: machine("one", remote.options()) });
    expect(typesOf(events)).toEqual([
      "keyed",
      "lookup",
      "remoteLookup",
      "miss",
      "executed",
      "stored",
      "uploaded",
    ]);
  });

  it("row 27: looks here, then there, fetches, stores here, restores, hits; then hits here, and asks nobody", async () => {
    await storedElsewhere();
    const second = await run({ opened: machine("two", remote.options()) });
    expect(typesOf(events)).toEqual([
      "keyed",
      "lookup",
      "fetched",
      "restored",
      "remoteLookup",
      "hit",
    ]);
    expect(second).toMatchObject({
      executions: 0,
      printed: "made\n",
      outcome: { kind: "hit", tier: "cache.example:443", restoredFiles: 1 },
    });
    expect(made()).toBe("made of one");

    clean();
    events.length = 0;
    remote.seen.opened = 0;
    const third = await run({ opened: machine("two", remote.options()) });
    expect(third.outcome).toMatchObject({ kind: "hit", tier: "disk" });
    expect(remote.seen.opened).toBe(0);
  });

  it("replaces outputs that inputs match as well where they are as the last result left them, and else makes them", async () => {
    const shared = task({ inputs: ["src/a", "lib/*"], outputs: ["lib/*.js"] });
    mkdirSync(join(root, "lib"));
    const file = join(root, "lib/made.js");
    const runOn = (name: string, source: string): ReturnType<typeof run> => {
      writeFileSync(join(root, "src/a"), source);
      const during = (): void => writeFileSync(file, `of ${source}`);
      return run({ task: shared, opened: machine(name, remote.options()), during });
    };
    for (const source of ["one", "two", "three"]) await runOn("one", source);
    rmSync(file);
    for (const source of ["two", "one"]) {
      const { outcome } = await runOn("two", source);
      expect(outcome).toMatchObject({ kind: "hit", tier: "cache.example:443", restoredFiles: 1 });
      expect(readFileSync(file, "utf8")).toBe(`of ${source}`);
    }
    writeFileSync(file, "edited");
    expect(await runOn("two", "three")).toMatchObject({
      executions: 1,
      outcome: { miss: { reason: "editedOutput" } },
    });
  });

  it("counts hits of other machines, and what travelled", async () => {
    const first = machine("one", remote.options());
    await run({ opened: first });
    expect(await first.close()).toMatchObject({ remoteHits: 0, uploaded: 1 });
    clean();
    const second = machine("two", remote.options());
    await run({ opened: second });
    const record = await second.close();
    expect(record).toMatchObject({ hits: 1, remoteHits: 1, uploaded: 0, misses: 0, errors: 0 });
    expect(record.fetchedBytes).toBeGreaterThan("made of one".length);
  });

  it("sends nothing twice: blobs that are there stay where they are", async () => {
    await run({ opened: machine("one", remote.options()) });
    const written: Digest[] = [];
    const counting = withBlobs({
      write: async (digest, source, signal) => {
        written.push(digest);
        await remote.blobs.write(digest, source, signal);
      },
    });
    await run({
      opened: machine("two", remote.options({ ...counting, reads: false })),
      task: task({ name: "same" }),
    });
    const { hash } = hashText("sha256", "made of one");
    expect(written.length).toBeGreaterThan(0);
    expect(written.map((digest) => digest.hash)).not.toContain(hash);
  });

  it.each(["read", "write"] as const)(
    "row 15: asks and sends as it may: not to %s",
    async (not) => {
      const options = remote.options({ reads: not !== "read", writes: not !== "write" });
      await storedElsewhere();
      const second = await run({ opened: machine("two", options) });
      expect(second.executions).toBe(not === "read" ? 1 : 0);
      expect(typesOf(events).includes("uploaded")).toBe(not === "read");
      writeFileSync(join(root, "src/a"), "changed");
      events.length = 0;
      await run({ opened: machine("two", options) });
      expect(typesOf(events).includes("uploaded")).toBe(not === "read");
    },
  );

  it("neither writes to the disk in mode read, and yet has what is there", async () => {
    await storedElsewhere();
    const options = remote.options();
    const second = await run({
      opened: machine("two", options, true),
      request: { mode: "read" },
    });
    expect(second).toMatchObject({ executions: 0, outcome: { kind: "hit", restoredFiles: 1 } });
    expect(made()).toBe("made of one");
    expect(existsSync(join(base, "two/v1/cas"))).toBe(false);
  });

  it("leaves nothing there of a task without outputs, whatever is to be downloaded, and has it here from then on", async () => {
    const test = task({ outputs: [] });
    await run({ task: test, opened: machine("one", remote.options()) });
    const request = { download: "whenNeeded" } as const;
    for (const tier of ["cache.example:443", "disk"]) {
      const opened = machine("two", remote.options());
      const { outcome } = await run({ task: test, opened, request });
      expect(outcome).toMatchObject({ kind: "hit", tier, isOutputLeft: false });
    }
  });

  it("asks for nothing in mode write, nor when forced", async () => {
    await storedElsewhere();
    for (const request of [{ mode: "write" }, { force: true }] as const) {
      const { executions } = await run({ opened: machine("two", remote.options()), request });
      expect(executions).toBe(1);
      expect(typesOf(events)).not.toContain("remoteLookup");
    }
  });
});

describe("row 42: a remote cache that does wrong", () => {
  const gone = new Error("the connection was reset");
  const wrongBlob = async (): Promise<BlobStore> => {
    const wrong = createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 1 << 20 });
    return {
      ...wrong,
      missing: () => Promise.resolve([]),
      readSync: () => undefined,
      async *read() {
        yield Buffer.from("forged bytes");
      },
    };
  };
  const failing = (): never => {
    throw gone;
  };

  it.each([
    ["cannot be opened", () => Promise.resolve({ tier: undefined }), true],
    ["fails every look-up", () => Promise.resolve(withActions({ get: failing })), true],
    [
      "gives other bytes than it was asked for",
      async () => ({ tier: { blobs: await wrongBlob() } }),
      true,
    ],
    [
      "lacks a blob of a result",
      () =>
        Promise.resolve(
          withBlobs({
            readSync: () => undefined,
            read: (digest) =>
              createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 1 }).read(digest),
          }),
        ),
      true,
    ],
    [
      "takes no blob",
      () =>
        Promise.resolve({
          ...withBlobs({ write: failing, missing: (digests) => Promise.resolve(digests) }),
          reads: false,
        }),
      true,
    ],
    [
      "takes no entry",
      () => Promise.resolve({ ...withActions({ put: failing }), reads: false }),
      true,
    ],
    ["is out of order", () => Promise.resolve({ tier: { isUsable: () => false } }), false],
  ] as const)("that %s costs a warning, and no task its result", async (name, bend, isTold) => {
    await storedElsewhere();
    const bent = await bend();
    const options = remote.options({ ...bent, tier: bent.tier ?? {} });
    const opened = machine(
      "two",
      name === "cannot be opened" ? { ...options, open: () => Promise.reject(gone) } : options,
    );
    const outcome = await run({ opened });
    expect(outcome).toMatchObject({ executions: 1, outcome: { kind: "executed", stored: true } });
    expect(made()).toBe("made of one");
    const told = troubles();
    expect(new Set(told.map((event) => event.type === "trouble" && event.cause)).size).toBe(
      isTold ? 1 : 0,
    );
    // And the local cache is whole.
    clean();
    expect(
      (await run({ opened: machine("two", remote.options({ reads: false })) })).outcome,
    ).toMatchObject({ kind: "hit", tier: "disk" });
  });

  it("whose entry somebody else signed runs the task, and says so; nothing of it is stored here", async () => {
    await storedElsewhere();
    const stranger = { stateDirectory: join(base, "stranger") };
    const opened = open(
      { cacheDir: join(base, "two") },
      false,
      stranger,
      remote.options({ writes: false }),
    );
    const outcome = await run({ opened });
    expect(outcome).toMatchObject({
      executions: 1,
      outcome: { miss: { reason: "untrusted", text: "its stored result is not trusted" } },
    });
    expect(events.filter(({ type }) => type === "refused")).toHaveLength(1);
  });

  it("that answers under one key with the entry of another runs the task", async () => {
    await storedElsewhere();
    writeFileSync(join(root, "src/a"), "two");
    await run({ opened: machine("one", remote.options()) });
    clean();
    let one: Uint8Array | undefined;
    const mixing = withActions({
      get: async (key, signal) => (one ??= await remote.actions.get(key, signal)),
    });
    await run({ opened: machine("three", remote.options(mixing)) });
    writeFileSync(join(root, "src/a"), "one");
    clean();
    events.length = 0;
    const outcome = await run({ opened: machine("three", remote.options(mixing)) });
    expect(outcome).toMatchObject({ executions: 1 });
    expect(made()).toBe("made of one");
    expect(events).toContainEqual(
      expect.objectContaining({ type: "refused", reason: "keyMismatch" }),
    );
  });

  it("that is so slow that the task is made sooner is left alone, after as long as it may take", async () => {
    await storedElsewhere();
    const slow = withBlobs({
      readSync: () => undefined,
      async *read(_digest, options) {
        yield await new Promise<never>((_, reject) => {
          options?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
        });
      },
    });
    const options = remote.options({ ...slow, timeoutMs: 50, writes: false });
    const outcome = await run({ opened: machine("two", options) });
    expect(outcome).toMatchObject({ executions: 1, outcome: { stored: true } });
    expect(remote.seen.tooSlow).toBe(1);
    expect(troubles()).toHaveLength(1);
  });

  it("that takes seconds to say that it has nothing is left alone, after as long as it may take", async () => {
    const slow = withActions({
      get: async () => {
        await new Promise((resolve) => setTimeout(resolve, 1100));
        return undefined;
      },
    });
    const opened = machine("two", remote.options({ ...slow, timeoutMs: 2000, writes: false }));
    const after: number[] = [];
    for (const content of ["1", "2", "3"]) {
      writeFileSync(join(root, "src/a"), content);
      opened.engine.index.invalidate("");
      expect(await run({ opened })).toMatchObject({ executions: 1 });
      after.push(remote.seen.tooSlow);
    }
    expect(after).toEqual([0, 1, 1]);
    expect(troubles()).toHaveLength(1);
  });
});

describe("row 44: what is sent to a remote cache", () => {
  it("delays nothing: the outcome is there while the upload hangs, and the end of the run waits for it", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = withBlobs({
      write: async (digest, source, signal) => {
        await held;
        await remote.blobs.write(digest, source, signal);
      },
    });
    const opened = machine("one", remote.options(slow));
    let isClosed = false;
    const outcome = await run({
      opened: { ...opened, close: () => opened.engine && Promise.resolve(noRecord) },
    });
    expect(outcome.outcome).toMatchObject({ kind: "executed", stored: true });
    expect(typesOf(events)).not.toContain("uploaded");
    const closing = opened.close().then(() => (isClosed = true));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(isClosed).toBe(false);
    expect(typesOf(events)).toContain("flushing");
    release();
    await closing;
    expect(typesOf(events)).toContain("uploaded");
    clean();
    const second = await run({ opened: machine("two", remote.options()) });
    expect(second.executions).toBe(0);
  });

  it("is dropped when the run is interrupted, and has no entry without its blobs", async () => {
    const slow = withBlobs({
      write: (_digest, _source, signal) =>
        new Promise((_, reject) =>
          signal?.addEventListener("abort", () => reject(new Error("aborted"))),
        ),
    });
    const opened = machine("one", remote.options(slow));
    const interrupted = new AbortController();
    await run({ opened: { ...opened, close: () => Promise.resolve(noRecord) } });
    setTimeout(() => interrupted.abort(), 50);
    await opened.close(interrupted.signal);
    expect(typesOf(events)).not.toContain("uploaded");
    expect(troubles()).toEqual([]);
    expect(remote.seen.closed).toBe(1);
    clean();
    expect((await run({ opened: machine("two", remote.options()) })).executions).toBe(1);
  });

  it("is the Action with its Command and inputs, then the result", async () => {
    const order: string[] = [];
    const watched = {
      tier: {
        blobs: {
          ...remote.blobs,
          write: async (digest: Digest, source: Parameters<BlobStore["write"]>[1]) => {
            await remote.blobs.write(digest, source);
            order.push("blob");
          },
        },
        actions: {
          ...remote.actions,
          put: async (key: Parameters<ActionStore["put"]>[0], entry: Uint8Array) => {
            await remote.actions.put(key, entry);
            order.push("entry");
            // The Action itself can be asked for by the key.
            const blob = remote.blobs.read({ ...key.digest });
            for await (const chunk of blob) order.push(`action of ${chunk.byteLength > 0}`);
          },
        },
      },
    };
    await run({ opened: machine("one", remote.options(watched)) });
    expect(order.at(-2)).toBe("entry");
    expect(order.at(-1)).toBe("action of true");
    expect(order.filter((each) => each === "blob").length).toBeGreaterThanOrEqual(4);
    expect(readdirSync(join(base, "one/v1")).includes("ac")).toBe(true);
  });
});

const noRecord = {} as Awaited<ReturnType<ReturnType<typeof machine>["close"]>>;
