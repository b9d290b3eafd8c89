import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CuenvError } from "@cuenv/errors";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LoadedSettings, loadSettingsFiles } from "./settings-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cuenv-settings-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function load(): Promise<LoadedSettings> {
  mkdirSync(join(folder, "repo/app"), { recursive: true });
  return loadSettingsFiles({
    projectDirectory: join(folder, "repo/app"),
    workspaceRoot: join(folder, "repo"),
    environment: { XDG_CONFIG_HOME: join(folder, "xdg"), HOME: join(folder, "home") },
  });
}

async function failure(): Promise<CuenvError> {
  try {
    await load();
  } catch (error) {
    if (error instanceof CuenvError) return error;
    throw error;
  }
  throw new Error("it loaded");
}

describe("loadSettingsFiles", () => {
  it("row 38: finds nothing where there is nothing", async () => {
    expect(await load()).toEqual({ files: [], warnings: [], trust: {} });
  });

  it.each(["repo/app/cuenv.cache.json", "repo/cuenv.cache.yaml", "xdg/cuenv/config.json"])(
    "refuses %s when it is a FIFO, a folder or a device, and waits for nobody",
    async (path) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      const target = join(folder, path);
      for (const make of [
        () => mkdirSync(target),
        () => execFileSync("mkfifo", [target]),
        () => symlinkSync("/dev/zero", target),
      ]) {
        make();
        expect(await failure()).toMatchObject({
          code: "CONFIG_FILE",
          message: `cannot read ${target}: it is not a regular file`,
        });
        rmSync(target, { recursive: true });
      }
    },
  );

  it("row 38: reads the project's, the workspace's and the user's, in this order", async () => {
    write("repo/app/cuenv.cache.json", '{"maxSize": "2MiB"}');
    write("repo/cuenv.cache.yaml", "evictionPolicy: lfu # least often used\n");
    write("xdg/cuenv/config.json", '{"cache": {"keyEpoch": 4}, "theme": "dark"}');
    const { files } = await load();
    const found = files.map(({ source, path, settings }) => ({ source, path, settings }));
    expect(found).toEqual([
      {
        source: "project",
        path: join(folder, "repo/app/cuenv.cache.json"),
        settings: { maxSizeBytes: 2_097_152 },
      },
      {
        source: "project",
        path: join(folder, "repo/cuenv.cache.yaml"),
        settings: { evictionPolicy: "LFU" },
      },
      { source: "user", path: join(folder, "xdg/cuenv/config.json"), settings: { keyEpoch: 4 } },
    ]);
  });

  it("row 38: reads the user's file from ~/.config without XDG_CONFIG_HOME, as YAML too", async () => {
    write("home/.config/cuenv/config.yml", "cache:\n  enabled: false\n");
    const { files } = await loadSettingsFiles({
      projectDirectory: folder,
      workspaceRoot: folder,
      environment: { HOME: join(folder, "home") },
    });
    expect(files.map(({ settings }) => settings)).toEqual([{ enabled: false }]);
  });

  it("says of settings in the user's file that stand beside `cache` that they have no effect", async () => {
    write(
      "xdg/cuenv/config.yaml",
      "theme: dark\nmax_size: 1GiB\nremoteCache:\n  endpoint: grpc://x\nmaxAge:\n",
    );
    const { files, warnings } = await load();
    expect(files.map(({ settings }) => settings)).toEqual([{}]);
    const file = join(folder, "xdg/cuenv/config.yaml");
    expect(warnings).toMatchObject([
      {
        message: `\`max_size\` in ${file} has no effect there: write it below \`cache\``,
        location: { file, line: 2, column: 1 },
        kind: "unknown",
      },
      { field: "remoteCache" },
    ]);
  });

  it("says line and column of a wrong field in JSON", async () => {
    write("repo/app/cuenv.cache.json", '{\n  "maxSize": "1GiB",\n  "maxAge": 7\n}\n');
    const error = await failure();
    expect(error).toMatchObject({
      code: "CONFIG_TYPE",
      location: { file: join(folder, "repo/app/cuenv.cache.json"), line: 3, column: 3 },
    });
  });

  it("says line and column of a wrong field in YAML", async () => {
    write(
      "xdg/cuenv/config.yaml",
      "cache:\n  maxSize: 1GiB\n  runtime:\n    - node --version\n    - 3\n",
    );
    expect(await failure()).toMatchObject({
      code: "CONFIG_TYPE",
      location: { file: join(folder, "xdg/cuenv/config.yaml"), line: 5, column: 7 },
    });
  });

  it.each([
    ['{"maxSize": "1GiB",}', 1, 20, "a name in double quotes is expected here"],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, "a comma or } is expected here"],
    ["", 1, 1, "a value is expected here"],
    ["{} x", 1, 4, "there is more after the end"],
    ['{"a": // no\n1}', 1, 9, "JSON has no comments"],
  ])("says line and column where %j stops being JSON", async (text, line, column, reason) => {
    write("repo/app/cuenv.cache.json", text);
    const error = await failure();
    expect(error.message).toContain(reason);
    expect(error).toMatchObject({ code: "CONFIG_FILE", exitCode: 3, location: { line, column } });
  });

  it.each([
    ["repo/cuenv.cache.json", '{"enabled": true,\n "enabled": false}', "it has /enabled twice"],
    [
      "xdg/cuenv/config.json",
      '{"trust": {"mode": "required",\n "mode": "off"}}',
      "it has /trust/mode twice",
    ],
    ["repo/cuenv.cache.yaml", "enabled: true\nenabled: false\n", ""],
  ])("T18: refuses a field that is there twice: %s", async (path, text, reason) => {
    write(path, text);
    const error = await failure();
    expect(error).toMatchObject({ code: "CONFIG_FILE", location: { line: 2 } });
    expect(error.message).toContain(reason);
  });

  it("says where a file stops being YAML", async () => {
    write("repo/app/cuenv.cache.yaml", "enabled: true\nenabled: false\n");
    expect(await failure()).toMatchObject({ code: "CONFIG_FILE", location: { line: 2 } });
  });

  it("refuses a YAML file of several documents, and says where the second begins", async () => {
    write("repo/cuenv.cache.yaml", "enabled: true\n---\nenabled: false\n");
    expect(await failure()).toMatchObject({
      code: "CONFIG_FILE",
      message: expect.stringMatching(/: it has a second document$/) as string,
      location: { line: 2 },
    });
  });

  it("refuses a YAML file whose aliases explode", async () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) =>
        `a${level}: &a${level} [${Array(9)
          .fill(level === 0 ? "x" : `*a${level - 1}`)
          .join(",")}]`,
    );
    write("repo/app/cuenv.cache.yaml", `${levels.join("\n")}\n`);
    expect(await failure()).toMatchObject({ code: "CONFIG_FILE" });
  });

  it("refuses to choose between two files of one name", async () => {
    write("repo/app/cuenv.cache.json", "{}");
    write("repo/app/cuenv.cache.yml", "{}");
    expect((await failure()).message).toContain("both exist");
  });

  it("takes a near miss of `cache` in the user's file for a mistake", async () => {
    write("xdg/cuenv/config.json", '{"cahce": {"enabled": false}}');
    expect(await failure()).toMatchObject({
      code: "CONFIG_UNKNOWN_FIELD",
      hint: "did you mean `cache`?",
      location: { line: 1, column: 2 },
    });
  });

  it("refuses a folder, and a file beyond any sense, in the place of a file", async () => {
    mkdirSync(join(folder, "repo/app/cuenv.cache.json"), { recursive: true });
    expect(await failure()).toMatchObject({ code: "CONFIG_FILE" });
    rmSync(join(folder, "repo/app/cuenv.cache.json"), { recursive: true });
    write("repo/app/cuenv.cache.json", " ".repeat(1024 * 1024 + 1));
    expect((await failure()).message).toContain("1048577 bytes");
  });

  it("locates warnings too", async () => {
    write("repo/app/cuenv.cache.json", '{\n"inlineThreshold": 1}');
    const { warnings } = await load();
    expect(warnings).toEqual([
      {
        message: expect.stringContaining("`inlineThreshold`"),
        location: { file: join(folder, "repo/app/cuenv.cache.json"), line: 2, column: 1 },
        field: "inlineThreshold",
        suggestion: "take it out",
        about: "cache",
      },
    ]);
  });
});
