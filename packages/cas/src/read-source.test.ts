import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { maxSyncReadBytes } from "./blob-store.ts";
import { openSource, readSource, type SourceContent } from "./read-source.ts";

async function* chunks(...parts: readonly (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    await setImmediate();
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

const read = (...parts: readonly (string | Error)[]): Promise<SourceContent> =>
  readSource(openSource(chunks(...parts)), undefined, undefined);

async function textOf(content: SourceContent): Promise<string> {
  const texts: string[] = [];
  if (content.complete) texts.push(Buffer.from(content.bytes).toString());
  else for await (const chunk of content.chunks) texts.push(Buffer.from(chunk).toString());
  content.release();
  return texts.join("");
}

describe("reading a source", () => {
  it("gives a small one whole, however it comes, and a large one as it comes", async () => {
    const large = "x".repeat(maxSyncReadBytes);
    for (const parts of [[], [""], ["one"], ["a", "", "b", "c"], [large], ["a", large.slice(1)]])
      expect(await read(...parts)).toMatchObject({
        complete: true,
        bytes: { length: parts.join("").length },
      });
    for (const parts of [["a", "b", large, "c"], [`${large}x`], [large, "x"]]) {
      const content = await read(...parts);
      expect(content.complete).toBe(false);
      expect((await textOf(content)) === parts.join("")).toBe(true);
    }
  });

  it("mixes nothing up when more are read at once than buffers are for, and those that are left over are streams", async () => {
    const texts = Array.from({ length: 150 }, (_, at) => [`first ${at}, `, `second ${at}`]);
    const contents = await Promise.all(texts.map((parts) => read(...parts)));
    expect(contents.filter(({ complete }) => !complete).length).toBeGreaterThan(80);
    expect(await Promise.all(contents.map(textOf))).toEqual(texts.map((parts) => parts.join("")));
  });

  it("has its buffers again after sources that failed, and after streams that nobody read", async () => {
    for (let round = 0; round < 100; round += 1) {
      await expect(read("a", "b", new Error("gone"))).rejects.toThrow("gone");
      (await read("a", "b", "x".repeat(maxSyncReadBytes))).release();
      (await read("a", "b")).release();
    }
    expect(await read("a", "b")).toMatchObject({ complete: true });
  });
});
