import { createFileIndex, type FileIndex } from "@cuenv/digest";
import { describe, expect, it } from "vitest";
import { withoutRefusedFolders } from "./refused-folders.ts";

function indexThatFails(code: string): FileIndex {
  const fail = (): never => {
    throw Object.assign(new Error(code), { code });
  };
  const index = createFileIndex({
    root: import.meta.dirname,
    digestFunction: "sha256",
    stateFile: undefined,
  });
  return { ...index, list: fail, listHash: fail };
}

describe("an index without the folders that are not ours to list", () => {
  it.each(["EACCES", "EPERM"])("takes one for empty that fails with %s", (code) => {
    const index = withoutRefusedFolders(indexThatFails(code));
    expect([index.list("a"), index.listHash("a")]).toEqual([[], ""]);
    expect(index.stat("")?.kind).toBe("directory");
  });

  it("takes none for empty that cannot be listed for another reason", () => {
    const index = withoutRefusedFolders(indexThatFails("EMFILE"));
    expect(() => index.list("a")).toThrow("EMFILE");
    expect(() => index.listHash("a")).toThrow("EMFILE");
  });
});
