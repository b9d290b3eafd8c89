import { type Digest, digestFunctions, hashBytes, hashText } from "@cuenv/digest";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeResult } from "../test/result.ts";
import { canonicalJson, type JsonValue } from "./canonical-json.ts";
import { decodeEntry, maxEntryBytes, openEnvelope } from "./decode-entry.ts";
import { encodeEntry, encodePayload, payloadType } from "./encode-entry.ts";
import { checkStoredEntry, entryReferences } from "./stored-entry.ts";
import type { TaskResult } from "./task-result.ts";

const asked = {
  digest: hashText("sha256", "an action"),
  namespace: "default",
  digestFunction: "sha256" as const,
};
const entryOf = (result: TaskResult): Buffer =>
  Buffer.from(encodeEntry(encodePayload(result), "sha256"));

/** An entry around any payload, with a right first line: what an attacker without a key can always make. */
function forge(
  payload: string,
  changes: { type?: string; envelope?: (text: string) => string } = {},
): Buffer {
  const text = JSON.stringify({
    payload: Buffer.from(payload).toString("base64"),
    payloadType: changes.type ?? payloadType,
    signatures: [],
  });
  const body = Buffer.from(changes.envelope?.(text) ?? text);
  return Buffer.concat([
    Buffer.from(`cuenv-entry 1 sha256 ${hashBytes("sha256", body).hash}\n`),
    body,
  ]);
}

const payloadOf = (changes: Record<string, unknown> = {}): string =>
  JSON.stringify({
    ...(JSON.parse(Buffer.from(encodePayload(makeResult())).toString()) as object),
    ...changes,
  });

const fault = (bytes: Uint8Array): string => {
  const decoded = decodeEntry(bytes, asked);
  return decoded.kind === "unusable" ? decoded.fault : decoded.kind;
};

describe("canonical JSON", () => {
  it("has one text for one value: sorted fields, no spaces, ECMAScript numbers", () => {
    expect(
      canonicalJson({
        b: 1,
        a: [true, null, "x"],
        "\u{1f600}": 1.5,
        "\u{ff5e}": 1e21,
        c: undefined,
      }),
    ).toBe('{"a":[true,null,"x"],"b":1,"\u{1f600}":1.5,"\u{ff5e}":1e+21}');
  });

  it("reads back as what was written, in any order of fields", () => {
    const values = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;
    fc.assert(
      fc.property(values, (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text) as JsonValue)).toBe(text);
      }),
    );
  });

  it("refuses what JSON cannot say", () => {
    expect(() => canonicalJson(Number.NaN)).toThrow("not a JSON number");
    expect(() => canonicalJson("\ud800")).toThrow("not Unicode");
  });
});

describe("an entry", () => {
  it("gives back the result, with both digest functions", () => {
    for (const digestFunction of digestFunctions) {
      const digest = hashText(digestFunction, "an action");
      const result = makeResult({
        key: { ...digest, function: digestFunction },
        provenance: { user: "me", ["__proto__"]: "x" },
      });
      const bytes = encodeEntry(encodePayload(result), digestFunction, [
        { keyid: "k", sig: "c2ln" },
      ]);
      const decoded = decodeEntry(bytes, { digest, namespace: "default", digestFunction });
      expect(decoded).toMatchObject({
        kind: "entry",
        payloadType,
        signatures: [{ keyid: "k", sig: "c2ln" }],
      });
      expect(decoded.kind === "entry" && encodePayload(decoded.result)).toEqual(
        encodePayload(result),
      );
    }
  });

  it("round trips any result", () => {
    const digest = fc.string().map((text): Digest => hashText("sha256", text));
    const result = fc.record<Partial<TaskResult>>({
      exitCode: fc.nat(255),
      stdout: fc.option(digest),
      stderr: fc.option(digest),
      keyInputs: fc.option(digest),
      durationMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
      startedAt: fc
        .date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true })
        .map((date) => date.toISOString()),
      declaredOutputs: fc.array(
        fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed()),
      ),
      outputs: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/)).chain((names) =>
        fc.tuple(
          ...names.map((path) =>
            fc.record({
              kind: fc.constant("file" as const),
              path: fc.constant(path),
              digest,
              executable: fc.boolean(),
            }),
          ),
        ),
      ),
    });
    fc.assert(
      fc.property(result, (changes) => {
        const whole = makeResult(changes);
        const decoded = decodeEntry(entryOf(whole), asked);
        expect(decoded.kind === "entry" && decoded.result).toEqual(whole);
      }),
    );
  });

  it("row 28: is a miss with any one bit flipped", () => {
    const bytes = entryOf(makeResult());
    let misses = 0;
    for (let place = 0; place < bytes.length; place += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(place) ^ (1 << (place % 8)), place);
      expect(fault(flipped)).not.toBe("entry");
      misses += 1;
    }
    expect(misses).toBe(bytes.length);
  });

  it("row 28: is a miss when cut anywhere, or longer", () => {
    const bytes = entryOf(makeResult());
    for (let length = 0; length < bytes.length; length += 1) {
      expect(fault(bytes.subarray(0, length))).toBe("corrupt");
    }
    expect(fault(Buffer.concat([bytes, Buffer.from("\n")]))).toBe("corrupt");
  });

  it("C10: is a miss for any other bytes, and never an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(fault(bytes)).toBe("corrupt");
      }),
    );
    fc.assert(
      fc.property(fc.json(), (payload) => {
        expect(["corrupt", "unknownVersion"]).toContain(fault(forge(payload)));
      }),
    );
  });

  it("T3: is a miss under another key, size, function or namespace", () => {
    const bytes = entryOf(makeResult());
    const mismatch = { kind: "unusable", fault: "keyMismatch" };
    const other = hashText("sha256", "another action");
    expect(decodeEntry(bytes, { ...asked, digest: other })).toMatchObject(mismatch);
    expect(
      decodeEntry(bytes, { ...asked, digest: { ...asked.digest, sizeBytes: 1 } }),
    ).toMatchObject(mismatch);
    expect(decodeEntry(bytes, { ...asked, digestFunction: "blake3" })).toMatchObject(mismatch);
    expect(decodeEntry(bytes, { ...asked, namespace: "main" })).toMatchObject(mismatch);
  });

  it("T5: is a miss of its own kind when it is of another version", () => {
    const text = entryOf(makeResult()).toString();
    expect(fault(Buffer.from(text.replace("cuenv-entry 1", "cuenv-entry 2")))).toBe(
      "unknownVersion",
    );
    expect(fault(Buffer.from(text.replace("sha256", "sha512")))).toBe("unknownVersion");
    expect(fault(forge(payloadOf({ v: 2 })))).toBe("unknownVersion");
    expect(fault(forge(payloadOf(), { type: "application/vnd.in-toto+json" }))).toBe(
      "unknownVersion",
    );
  });

  it("T8: is refused by its size before it is looked at", () => {
    expect(fault(Buffer.alloc(maxEntryBytes + 1))).toBe("tooLarge");
  });

  it.each<[string, Record<string, unknown>]>([
    ["an unknown field", { extra: 1 }],
    ["no outputs", { outputs: undefined }],
    ["outputs that are no list", { outputs: {} }],
    ["an output of an unknown kind", { outputs: [{ kind: "device", path: "dist/x" }] }],
    ["a hardlink", { outputs: [{ kind: "hardlink", path: "dist/x", target: "/etc/passwd" }] }],
    ["an output that climbs", { outputs: [{ kind: "directory", path: "../x" }] }],
    ["an absolute output", { outputs: [{ kind: "directory", path: "/x" }] }],
    ["a link that leaves", { outputs: [{ kind: "symlink", path: "dist/x", target: "../../x" }] }],
    [
      "outputs that collide",
      {
        outputs: [
          { kind: "directory", path: "X" },
          { kind: "directory", path: "x" },
        ],
      },
    ],
    ["a digest that is a path", { stdout: "../../etc/passwd/1" }],
    ["a negative size", { stdout: `${"0".repeat(64)}/-1` }],
    ["a size beyond counting", { stdout: `${"0".repeat(64)}/9999999999999999` }],
    ["an exit code that is no count", { exitCode: -1 }],
    ["an exit code that is a text", { exitCode: "0" }],
    ["a time that is none", { startedAt: "yesterday" }],
    ["an impossible time", { startedAt: "2026-13-45T99:99:99.000Z" }],
    ["a duration that is negative", { durationMs: -1 }],
    ["a builder that is a list", { builder: [] }],
    ["provenance that is no text", { provenance: { user: 1 } }],
    [
      "a key without a function",
      { key: { hash: asked.digest.hash, sizeBytes: asked.digest.sizeBytes } },
    ],
    ["a payload that is a list", { v: undefined }],
  ])("is a miss with %s", (_, changes) => {
    expect(["corrupt", "unknownVersion"]).toContain(fault(forge(payloadOf(changes))));
    // The payload around the change is one that is accepted.
    expect(fault(forge(payloadOf()))).toBe("entry");
  });

  it("T6: is a miss with a duration without end, which JSON would keep as none", () => {
    const text = payloadOf().replace('"durationMs":12.5', '"durationMs":1e999');
    expect(text).toContain("1e999");
    expect(fault(forge(text))).toBe("corrupt");
  });

  it("is a miss with an odd envelope", () => {
    const envelope = (change: (text: string) => string): string =>
      fault(forge(payloadOf(), { envelope: change }));
    expect(envelope((text) => text)).toBe("entry");
    expect(envelope((text) => text.replace('"payload":"', '"payload":"!'))).toBe("corrupt");
    expect(envelope((text) => text.replace('"payload":"', '"payload":" '))).toBe("corrupt");
    expect(envelope((text) => text.replace('"signatures":[]', '"signatures":{}'))).toBe("corrupt");
    expect(envelope((text) => text.replace('"signatures":[]', '"signatures":[1]'))).toBe("corrupt");
    expect(
      envelope((text) =>
        text.replace(
          '"signatures":[]',
          `"signatures":[${Array.from({ length: 65 }, () => '{"keyid":"","sig":""}').join()}]`,
        ),
      ),
    ).toBe("corrupt");
    expect(envelope((text) => text.replace("}", ',"more":1}'))).toBe("corrupt");
  });

  it("T18: takes a field __proto__ for a field", () => {
    const text = payloadOf().replace('"v":1', '"v":1,"__proto__":{"exitCode":0}');
    expect(fault(forge(text))).toBe("corrupt");
  });
});

describe("what looks after a store", () => {
  it("finds all blobs of an entry, and none in other bytes", () => {
    const digests = entryReferences(entryOf(makeResult()));
    expect(digests).toEqual([
      hashText("sha256", "a"),
      hashText("sha256", "built\n"),
      hashText("sha256", "{}"),
    ]);
    expect(entryReferences(Buffer.from("x"))).toBeUndefined();
  });

  it("T3: takes an entry in another one's place for damage, but not one of another version", () => {
    const bytes = entryOf(makeResult());
    const place = {
      digestFunction: "sha256" as const,
      namespace: "default",
      hash: asked.digest.hash,
    };
    expect(checkStoredEntry(bytes, place)).toEqual({ kind: "sound" });
    expect(checkStoredEntry(bytes, { ...place, hash: "0".repeat(64) })).toMatchObject({
      kind: "damaged",
    });
    expect(checkStoredEntry(bytes, { ...place, namespace: "main" })).toMatchObject({
      kind: "damaged",
    });
    expect(checkStoredEntry(Buffer.from("x"), place)).toMatchObject({ kind: "damaged" });
    expect(checkStoredEntry(forge(payloadOf({ v: 2 })), place)).toEqual({ kind: "sound" });
    expect(openEnvelope(bytes).kind).toBe("entry");
  });
});
