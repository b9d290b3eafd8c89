import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { hashBytes, hashText } from "@cuenv/digest";
import { describe, expect, it } from "vitest";
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

useEngineFolder();

describe("executeTaskWithCache", () => {
  it("row 31: executes once on a miss and never on a hit, whose outputs and output it gives back", async () => {
    const first = await run();
    expect(first).toMatchObject({ executions: 1, outcome: { kind: "executed", stored: true } });
    rmSync(join(root, "out"), { recursive: true });
    const second = await run();
    expect(second).toMatchObject({
      executions: 0,
      printed: "made\n",
      outcome: { kind: "hit", savedMs: 1234, restoredFiles: 1 },
    });
    expect(readFileSync(join(root, "out/result"), "utf8")).toBe("made of one");
  });

  it("row 27: makes the key, looks up, misses, runs, stores; then makes it, looks up, restores, hits: in that order", async () => {
    await run();
    expect(typesOf(events)).toEqual(["keyed", "lookup", "miss", "executed", "stored"]);
    events.length = 0;
    rmSync(join(root, "out"), { recursive: true });
    await run();
    expect(typesOf(events)).toEqual(["keyed", "restored", "lookup", "hit"]);
  });

  it("row 31: keeps the exit code of a failed run, and does not store it", async () => {
    expect(await run({ exitCode: 7 })).toMatchObject({
      outcome: { execution: { exitCode: 7 }, stored: false, notStored: undefined },
    });
    expect(await run()).toMatchObject({ executions: 1 });
  });

  it("says that no result is stored yet, then what changed", async () => {
    const first = await run();
    expect(first.outcome).toMatchObject({
      miss: { reason: "absent", text: "no result stored yet" },
    });
    writeFileSync(join(root, "src/a"), "two");
    expect((await run()).outcome).toMatchObject({ miss: { text: "src/a changed" } });
  });

  it("does not store a run whose input changed meanwhile, nor one that gained an input", async () => {
    const edited = await run({ during: () => writeFileSync(join(root, "src/a"), "edited") });
    expect(edited.outcome).toMatchObject({
      stored: false,
      notStored: { reason: "inputsChanged", detail: "its input src/a changed while it ran" },
    });
    const grown = await run({ during: () => writeFileSync(join(root, "src/new"), "") });
    expect(grown.outcome).toMatchObject({ stored: false, notStored: { reason: "inputsChanged" } });
    expect(await run()).toMatchObject({ executions: 1, outcome: { stored: true } });
  });

  it("does not store a run whose input changed while its outputs were stored, which may be those of the new input", async () => {
    const opened = open();
    const { blobs } = opened.engine;
    let isEdited = false;
    const ingest: typeof blobs.ingest = (source, signal) => {
      if (!isEdited) writeFileSync(join(root, "src/a"), "newer");
      if (!isEdited) writeFileSync(join(root, "out/result"), "made of newer");
      isEdited = true;
      return blobs.ingest(source, signal);
    };
    const engine = { ...opened.engine, blobs: { ...blobs, ingest } };
    expect((await run({ opened: { ...opened, engine } })).outcome).toMatchObject({
      stored: false,
      notStored: { reason: "inputsChanged" },
    });
  });

  it("does not store outputs that cannot be stored, and says which", async () => {
    const linked = await run({ during: () => symlinkSync("/etc/passwd", join(root, "out/link")) });
    expect(linked.outcome).toMatchObject({
      stored: false,
      notStored: { reason: "unsuitableOutput", detail: expect.stringContaining("out/link") },
    });
  });

  it("says what a task printed: of a hit, of what is stored, and of a run that was forced, stored or not", async () => {
    const printed = {
      stdout: hashText("sha256", "made\n"),
      stderr: hashText("sha256", ""),
    };
    expect((await run({ request: { mode: "read" } })).outcome.streams).toBeUndefined();
    expect((await run()).outcome).toMatchObject({ kind: "executed", streams: printed });
    expect((await run()).outcome).toMatchObject({ kind: "hit", streams: printed });
    const large = Buffer.alloc(5_000_000, "x");
    const forced = { mode: "read", force: true } as const;
    const again = await run({
      request: forced,
      during: (output) => void output.stderr(large),
    });
    expect(again.outcome).toMatchObject({
      kind: "executed",
      stored: false,
      streams: { ...printed, stderr: hashBytes("sha256", large) },
    });
    const failed = await run({ request: forced, exitCode: 1 });
    expect(failed.outcome.streams).toBeUndefined();
  });

  it("row 28: takes a damaged entry or blob for a miss, runs again, and is whole afterwards", async () => {
    await run();
    const files = readdirSync(join(base, "cache/v1"), {
      recursive: true,
      withFileTypes: true,
    }).filter((entry) => entry.isFile() && /[\\/](cas|ac)[\\/]/.test(entry.parentPath));
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const path = join(file.parentPath, file.name);
      const bytes = readFileSync(path);
      bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
      chmodSync(path, 0o600);
      writeFileSync(path, bytes);
      rmSync(join(root, "out"), { recursive: true });
      await run();
      expect(readFileSync(join(root, "out/result"), "utf8"), path).toBe("made of one");
      rmSync(join(root, "out"), { recursive: true });
      expect((await run()).outcome.kind, path).toBe("hit");
    }
  });

  it("runs the task when the cache fails in a way that nobody foresaw", async () => {
    await run();
    const opened = open();
    const failing = {
      ...opened.engine.blobs,
      readSync: () => {
        throw new Error("cannot load our own code: EMFILE");
      },
    };
    const engine = { ...opened.engine, blobs: failing };
    expect(await run({ opened: { ...opened, engine } })).toMatchObject({
      executions: 1,
      outcome: { kind: "executed", miss: { reason: "unreadable" } },
    });
    expect(events.filter((event) => event.type === "trouble")).toHaveLength(1);
  });

  it("tells nothing of a tool that was asked when the run was interrupted", async () => {
    const controller = new AbortController();
    const reason = new Error("Ctrl-C");
    setTimeout(() => controller.abort(reason), 50);
    const { signal } = controller;
    const { cache } = task();
    const asking = task({ cache: { ...cache, runtime: ["sleep 30; echo 1"] } });
    await expect(run({ task: asking, request: { signal } })).rejects.toBe(reason);
    expect(typesOf(events)).toEqual([]);
  });

  it("does not take it for a failure of the cache when nobody takes the replayed output", async () => {
    await run();
    const gone = (): never => {
      throw new Error("EPIPE");
    };
    await expect(run({ request: { output: { stdout: gone, stderr: gone } } })).rejects.toThrow(
      "EPIPE",
    );
  });

  it("row 26: keeps results in memory where the disk cannot be written, with one cause of trouble", async () => {
    writeFileSync(join(base, "cache"), "a file where the folder should be");
    const opened = open();
    expect((await run({ opened })).outcome).toMatchObject({
      kind: "executed",
      stored: false,
      notStored: { reason: "storeUnavailable" },
    });
    rmSync(join(root, "out"), { recursive: true });
    // What this test did behind the back of the process.
    opened.engine.index.invalidate("out");
    expect((await run({ opened })).outcome).toMatchObject({ kind: "hit", restoredFiles: 1 });
    const causes = events.flatMap((event) => (event.type === "trouble" ? [event.cause] : []));
    expect(new Set(causes)).toEqual(new Set(["unavailable"]));
  });

  it("row 7: reads and writes as its mode says", async () => {
    expect(await run({ request: { mode: "read" } })).toMatchObject({
      executions: 1,
      outcome: { stored: false },
    });
    expect(await run({ request: { mode: "write" } })).toMatchObject({
      executions: 1,
      outcome: { stored: true },
    });
    expect(await run({ request: { mode: "write" } })).toMatchObject({
      executions: 1,
      outcome: { stored: true },
    });
    expect(await run({ request: { mode: "read" } })).toMatchObject({ executions: 0 });
    expect(await run({ request: { mode: "read-write" } })).toMatchObject({ executions: 0 });
    expect(await run({ request: { force: true } })).toMatchObject({
      executions: 1,
      outcome: { stored: true },
    });
  });

  it("makes nothing on disk in a run that only reads", async () => {
    await run({ opened: open({}, true), request: { mode: "read" } });
    expect(existsSync(join(base, "cache"))).toBe(false);
  });

  it("does not use what is too old for the task", async () => {
    await run();
    const cache = { ...task().cache, maxAgeMs: 0 };
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await run({ task: task({ cache }) })).outcome).toMatchObject({
      kind: "executed",
      miss: { reason: "expired" },
    });
  });

  it("never stores the value of a secret: not in an output, an argument or a stream", async () => {
    const secret = "canary-5f0e1";
    const request = {
      variables: { TOKEN: secret },
      secretNames: new Set(["TOKEN"]),
      secretValues: [secret],
    };
    const leaked = await run({
      request,
      during: () => writeFileSync(join(root, "out/leak"), `x${secret}y`),
    });
    expect(leaked.outcome).toMatchObject({
      stored: false,
      notStored: { reason: "secretInOutput" },
    });
    rmSync(join(root, "out/leak"));
    const argument = await run({ request: { ...request, argv: ["make", `--token=${secret}`] } });
    expect(argument.outcome).toMatchObject({
      stored: false,
      notStored: { reason: "secretInOutput" },
    });
    expect((await run({ request })).outcome).toMatchObject({ stored: true });
    const everything = readdirSync(join(base, "cache"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
    expect(everything.filter((content) => content.includes(secret))).toEqual([]);
    const other = {
      variables: { TOKEN: "another" },
      secretNames: new Set(["TOKEN"]),
      secretValues: ["another"],
    };
    expect((await run({ request: other })).executions).toBe(1);
    expect((await run({ request })).executions).toBe(0);
  });

  it("never stores a secret that is only a part of a variable, nor one in a file's name", async () => {
    const secretValues = ["canary-77a2"];
    const variables = { URL: "postgres://u:canary-77a2@h" };
    const request = { variables, secretNames: new Set(["URL"]), secretValues };
    for (const name of ["plain", "canary-77a2.txt"]) {
      const content = name === "plain" ? "password canary-77a2" : "";
      const during = (): void => writeFileSync(join(root, "out", name), content);
      const result = await run({ request, during });
      expect(result.outcome, name).toMatchObject({ notStored: { reason: "secretInOutput" } });
      rmSync(join(root, "out", name));
    }
  });

  it("row 4: runs a key once when two ask for it at the same time", async () => {
    const opened = open();
    const [one, two] = await Promise.all([run({ opened }), run({ opened })]);
    expect(one.executions + two.executions).toBe(1);
  });
});
