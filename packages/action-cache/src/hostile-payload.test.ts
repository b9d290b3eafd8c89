import { entriesProblem } from "@cuenv/cas";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeResult } from "../test/result.ts";
import { decodeEntry } from "./decode-entry.ts";
import { encodeEntry, encodePayload } from "./encode-entry.ts";

/** How many: `npm run test:hostile` asks for 100,000. */
const manifests = Number(process.env["CUENV_HOSTILE_MANIFESTS"] ?? 3000);

const fields = JSON.parse(Buffer.from(encodePayload(makeResult())).toString()) as Record<
  string,
  unknown
>;
const asked = { digest: makeResult().key, namespace: "default", digestFunction: "sha256" as const };
const digest = `${"a".repeat(64)}/1`;

const name = fc.constantFrom(
  "dist",
  "..",
  ".",
  "",
  "a",
  "A",
  "e\u0301",
  "\u00e9",
  "\0",
  "\\",
  "C:",
  "x".repeat(256),
  "\ud800",
  "__proto__",
  "con",
);
const path = fc.oneof(
  fc.array(name, { minLength: 1, maxLength: 6 }).map((names) => names.join("/")),
  fc.string(),
);
const kind = fc.constantFrom(
  "file",
  "directory",
  "symlink",
  "fifo",
  "device",
  "hardlink",
  "constructor",
  1,
  null,
);
const size = fc.oneof(
  fc.constantFrom(
    digest,
    `${"a".repeat(64)}/-1`,
    `${"a".repeat(64)}/9007199254740993`,
    `${"A".repeat(64)}/1`,
    "/1",
    5,
    null,
  ),
  fc.string(),
);
const output = fc.record(
  { kind, path, digest: size, executable: fc.constantFrom(true, false, "yes", 493), target: path },
  { requiredKeys: ["path"] },
);
const payload = fc.oneof(
  fc
    .array(fc.oneof(output, fc.jsonValue()), { maxLength: 6 })
    .map((outputs) => ({ ...fields, outputs })),
  fc
    .record({
      field: fc.constantFrom(...Object.keys(fields), "__proto__", "extra"),
      value: fc.jsonValue(),
    })
    .map(({ field, value }) => ({ ...fields, [field]: value })),
  fc.jsonValue(),
);

describe("T7, T8, T18: hostile payloads, signed or not", () => {
  it(`are refused, or are lists that can be restored safely, for ${manifests} of them`, () => {
    const counts = { entry: 0, unusable: 0, refused: 0 };
    fc.assert(
      fc.property(payload, (value) => {
        const decoded = decodeEntry(
          encodeEntry(Buffer.from(JSON.stringify(value)), "sha256"),
          asked,
        );
        counts[decoded.kind] += 1;
        if (decoded.kind !== "entry") return true;
        const { outputs } = decoded.result;
        return (
          entriesProblem(outputs) === undefined &&
          outputs.every((each) => ["file", "directory", "symlink"].includes(each.kind))
        );
      }),
      { numRuns: manifests },
    );
    expect(Math.min(counts.entry, counts.unusable)).toBeGreaterThan(manifests / 100);
    expect(counts.refused).toBe(0);
    expect(Object.getPrototypeOf({})).not.toHaveProperty("v");
  }, 600_000);
});

describe("what is said of an entry that anybody wrote", () => {
  const escapes = `x\n::error::forged\u001b[2J\u009b\u2028\u202e${"y".repeat(1000)}`;

  it.each<[string, Uint8Array]>([
    ["the type of its payload", encodeEntry(Buffer.from("{}"), "sha256", [], escapes)],
    ...(
      [
        ["its version", { v: escapes }],
        ["its namespace", { namespace: escapes }],
        ["a field", { [escapes]: 1 }],
        ["the path of an output", { outputs: [{ kind: "directory", path: `../${escapes}` }] }],
      ] as const
    ).map(([what, changed]): [string, Uint8Array] => [
      what,
      encodeEntry(Buffer.from(JSON.stringify({ ...fields, ...changed })), "sha256"),
    ]),
  ])("is one short line without control characters, whatever %s is", (_, bytes) => {
    const decoded = decodeEntry(bytes, asked);
    if (decoded.kind !== "unusable") throw new Error("it was used");
    expect(decoded.detail).toContain("forged");
    expect(decoded.detail).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
    expect(decoded.detail.length).toBeLessThan(400);
  });
});
