import { hashText } from "@cuenv/digest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ActionKey, ActionStore } from "./action-store.ts";

/** A store to be tested, empty. */
export interface ActionStoreUnderTest {
  readonly store: ActionStore;
  readonly close?: () => void | Promise<void>;
}

/** The code of the error that a step fails with. */
async function codeOf(step: () => Promise<unknown>): Promise<string> {
  try {
    await step();
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
  return "no error";
}

/**
 * The contract of {@link ActionStore} as tests; with `isCreateAtomic` false, all but that of many that create at once one has done it: some protocols
 * have no conditional write. With `tellsVersions` it has `getChanged`. `make` is called once; the suite works on a store that holds other entries.
 */
export function actionStoreContract(
  name: string,
  make: () => ActionStoreUnderTest | Promise<ActionStoreUnderTest>,
  {
    isCreateAtomic = true,
    tellsVersions = false,
  }: { readonly isCreateAtomic?: boolean; readonly tellsVersions?: boolean } = {},
): void {
  describe(`the action store contract: ${name}`, () => {
    let subject: ActionStoreUnderTest;
    let store: ActionStore;
    const keyOf = (text: string, namespace = "default"): ActionKey => ({
      digest: hashText(store.digestFunction, text),
      namespace,
    });
    const textOf = async (key: ActionKey): Promise<string | undefined> => {
      const entry = await store.get(key);
      return entry && Buffer.from(entry).toString();
    };
    beforeAll(async () => {
      subject = await make();
      ({ store } = subject);
    });
    afterAll(async () => {
      await subject.close?.();
    });

    it("gives the bytes that were put last", async () => {
      const key = keyOf("replaced");
      await store.put(key, Buffer.from("first"));
      await store.put(key, Buffer.from("second, longer"));
      expect(await textOf(key)).toBe("second, longer");
      await store.put(key, Buffer.from("third"));
      expect(await textOf(key)).toBe("third");
    });

    it("gives undefined for what was never put, without an error", async () => {
      expect(await store.get(keyOf("never put"))).toBeUndefined();
    });

    it("keeps exact bytes, whatever they are", async () => {
      const bytes = Buffer.from(
        Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 256),
      );
      await store.put(keyOf("binary"), bytes);
      expect(Buffer.from((await store.get(keyOf("binary"))) ?? []).equals(bytes)).toBe(true);
    });

    it("T1: keeps namespaces apart", async () => {
      await store.put(keyOf("shared", "main"), Buffer.from("of main"));
      await store.put(keyOf("shared", "pr-1"), Buffer.from("of the pull request"));
      expect(await textOf(keyOf("shared", "main"))).toBe("of main");
      expect(await textOf(keyOf("shared", "pr-1"))).toBe("of the pull request");
      expect(await textOf(keyOf("shared", "pr-2"))).toBeUndefined();
    });

    it("gives no bytes where it was asked with their version, and the bytes of every other one", async () => {
      expect(store.getChanged !== undefined).toBe(tellsVersions);
      const getChanged = async (asked: ActionKey, known: string | undefined) =>
        store.getChanged?.(asked, known);
      const key = keyOf("versions");
      expect(await getChanged(key, undefined)).toBeUndefined();
      expect(await getChanged(key, "a version of old")).toBeUndefined();
      if (!tellsVersions) return;
      await store.put(key, Buffer.from("first"));
      expect((await getChanged(key, "a version of old"))?.bytes).toEqual(Buffer.from("first"));
      const version = await expect
        .poll(async () => (await getChanged(key, undefined))?.version)
        .toBeDefined()
        .then(async () => (await getChanged(key, undefined))?.version);
      expect(await getChanged(key, version)).toEqual({ bytes: undefined, version });
      await store.put(key, Buffer.from("other"));
      const next = await getChanged(key, version);
      expect(next?.bytes).toEqual(Buffer.from("other"));
      expect(next?.version).not.toBe(version);
      await store.delete(key);
      expect(await getChanged(key, version)).toBeUndefined();
    });

    it("deletes, and does not mind when there is nothing to delete", async () => {
      const key = keyOf("deleted");
      await store.put(key, Buffer.from("x"));
      await store.delete(key);
      await store.delete(key);
      expect(await store.get(key)).toBeUndefined();
    });

    it("is not changed by who changes the bytes that were put or got", async () => {
      const bytes = Buffer.from("kept");
      await store.put(keyOf("aliased"), bytes);
      bytes.fill(0);
      (await store.get(keyOf("aliased")))?.fill(0);
      expect(await textOf(keyOf("aliased"))).toBe("kept");
    });

    it("gives one of them whole when many put at once", async () => {
      const key = keyOf("contended");
      const entries = Array.from({ length: 16 }, (_, index) => String(index).repeat(5000 + index));
      const putting = entries.map((entry) => store.put(key, Buffer.from(entry)));
      const getting = entries.map(() => textOf(key));
      await Promise.all(putting);
      for (const got of [...(await Promise.all(getting)), await textOf(key)]) {
        expect([undefined, ...entries]).toContain(got);
      }
      expect(entries).toContain(await textOf(key));
    });

    it("creates once: of many at once one has done it, and nothing is replaced", async () => {
      const key = keyOf("created");
      const entries = Array.from({ length: 16 }, (_, index) => String(index).repeat(3000 + index));
      const made: boolean[] = [];
      if (isCreateAtomic) {
        const creating = entries.map((entry) => store.create(key, Buffer.from(entry)));
        made.push(...(await Promise.all(creating)));
      } else for (const entry of entries) made.push(await store.create(key, Buffer.from(entry)));
      expect(made.filter(Boolean)).toHaveLength(1);
      expect(await textOf(key)).toBe(entries[made.indexOf(true)]);
      expect(await store.create(key, Buffer.from("later"))).toBe(false);
      expect(await textOf(key)).toBe(entries[made.indexOf(true)]);
      await store.delete(key);
      expect(await store.create(key, Buffer.from("after it was deleted"))).toBe(true);
      expect(await textOf(key)).toBe("after it was deleted");
    });

    it("refuses names that could become a path", async () => {
      const digest = hashText(store.digestFunction, "x");
      const namespaces = [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "../a",
        "a\0",
        "-a",
        ".a",
        "ä",
        "a".repeat(129),
      ];
      for (const namespace of namespaces) {
        expect([namespace, await codeOf(() => store.get({ digest, namespace }))]).toEqual([
          namespace,
          "AC_NAMESPACE_INVALID",
        ]);
        expect(await codeOf(() => store.put({ digest, namespace }, Buffer.from("x")))).toBe(
          "AC_NAMESPACE_INVALID",
        );
      }
      const hashes = ["", "../../x", digest.hash.toUpperCase(), `${digest.hash}/..`];
      for (const hash of hashes) {
        const key = { digest: { hash, sizeBytes: 1 }, namespace: "default" };
        expect(await codeOf(() => store.get(key))).toBe("DIGEST_INVALID");
        expect(await codeOf(() => store.delete(key))).toBe("DIGEST_INVALID");
      }
    });

    it("says the reason of an aborted signal", async () => {
      const reason = new Error("interrupted");
      const signal = AbortSignal.abort(reason);
      await expect(store.get(keyOf("replaced"), signal)).rejects.toBe(reason);
      await expect(store.put(keyOf("aborted"), Buffer.from("x"), signal)).rejects.toBe(reason);
      expect(await store.get(keyOf("aborted"))).toBeUndefined();
    });
  });
}
