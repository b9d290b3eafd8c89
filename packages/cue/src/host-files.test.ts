import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { revalidate } from "./evaluation-input.ts";
import { createHostFiles, type HostFiles } from "./host-files.ts";
import { defaultLimits } from "./limits.ts";

let root: string;
let file: string;
let files: HostFiles;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "cuenv-host-files-")));
  file = join(root, "env.cue");
  writeFileSync(file, "first");
  files = createHostFiles(root, defaultLimits);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const isAsItWas = (): boolean => files.inputs().every((input) => revalidate(input) !== undefined);

describe("what an evaluation looked at", () => {
  it("is as it was while nothing changes, however often it was looked at", () => {
    for (const times of [1, 2]) {
      files.stat(file);
      files.read(file);
      files.list(root, "cue");
      files.list(root, "all");
      files.stat(join(root, "none"));
      expect(isAsItWas(), `${times}`).toBe(true);
    }
  });

  it("never is what it was when a file was another one in between, whichever of the two is there", () => {
    files.read(file);
    writeFileSync(file, "second");
    files.read(file);
    expect(isAsItWas()).toBe(false);
    files.read(file);
    writeFileSync(file, "first");
    expect(isAsItWas()).toBe(false);
  });

  it("never is what it was when a file went or came in between", () => {
    files.read(file);
    rmSync(file);
    files.stat(file);
    expect(isAsItWas()).toBe(false);
    writeFileSync(file, "first");
    expect(isAsItWas()).toBe(false);
    const later = createHostFiles(root, defaultLimits);
    files = later;
    later.stat(join(root, "more.cue"));
    writeFileSync(join(root, "more.cue"), "");
    later.read(join(root, "more.cue"));
    expect(isAsItWas()).toBe(false);
    rmSync(join(root, "more.cue"));
    expect(isAsItWas()).toBe(false);
  });

  it("never is what it was when the names in a folder were others in between", () => {
    files.list(root, "cue");
    writeFileSync(join(root, "more.cue"), "");
    files.list(root, "cue");
    rmSync(join(root, "more.cue"));
    expect(isAsItWas()).toBe(false);
  });
});
