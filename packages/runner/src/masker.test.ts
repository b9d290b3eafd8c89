import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMasker } from "./index.ts";

/** Masks `text` given in pieces that end at `cuts`. */
function masked(secrets: readonly string[], text: string, cuts: readonly number[] = []): string {
  const stream = createMasker(secrets).stream();
  const bytes = Buffer.from(text);
  const ends = [
    ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((left, right) => left - right),
    bytes.length,
  ];
  const out: Uint8Array[] = [];
  let start = 0;
  for (const end of ends) {
    out.push(Uint8Array.from(stream.push(bytes.subarray(start, end))));
    start = end;
  }
  out.push(stream.end());
  return Buffer.concat(out).toString();
}

describe("createMasker", () => {
  it("replaces every occurrence", () => {
    expect(masked(["s3cret"], "a s3cret b s3crets3cret")).toBe("a *** b ******");
  });

  it("finds a secret in every cut of its bytes", () => {
    for (let cut = 0; cut <= 14; cut += 1)
      expect(masked(["s3cret"], "ab s3cret cd s", [cut])).toBe("ab *** cd s");
    expect(masked(["s3cret"], "s3cret", [1, 2, 3, 4, 5])).toBe("***");
  });

  it("masks overlapping secrets as one, so that no part of either is left", () => {
    expect(masked(["abcde", "defgh"], "xabcdefghx")).toBe("x***x");
    expect(masked(["abcd", "abcdefgh"], "abcdefgh abcdef")).toBe("*** ***ef");
    expect(masked(["aaaa"], "aaaaaaa", [2, 5])).toBe("***");
  });

  it("masks each line of a secret of several lines, too", () => {
    const key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nab\n-----END KEY-----";
    expect(masked([key], `> MIIEvQIBADANBg\n> ab\n${key}`)).toBe("> ***\n> ab\n***");
  });

  it("does not mask what is shorter than four bytes", () => {
    expect(masked(["abc", ""], "abc abc")).toBe("abc abc");
  });

  it("holds back only what a secret may begin with", () => {
    const stream = createMasker(["password"]).stream();
    expect(Buffer.from(stream.push(Buffer.from("Enter: "))).toString()).toBe("Enter: ");
    expect(Buffer.from(stream.push(Buffer.from("a pass"))).toString()).toBe("a ");
    expect(Buffer.from(stream.push(Buffer.from("port"))).toString()).toBe("passport");
  });

  it("masks secrets that become known while a stream runs", () => {
    const masker = createMasker();
    const stream = masker.stream();
    expect(Buffer.from(stream.push(Buffer.from("late1 "))).toString()).toBe("late1 ");
    masker.add(["late1"]);
    expect(Buffer.from(stream.push(Buffer.from("late1 "))).toString()).toBe("*** ");
  });

  it("gives the very same bytes when there is nothing to mask", () => {
    const chunk = Buffer.from("bytes");
    expect(createMasker().stream().push(chunk)).toBe(chunk);
  });

  it("gives the same for every cutting, and leaves no secret in it", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "é"), maxLength: 60 });
    const secrets = fc.array(
      fc.string({ unit: fc.constantFrom("a", "b", "é"), minLength: 4, maxLength: 9 }),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(
        secrets,
        letters,
        fc.array(fc.nat(200), { maxLength: 8 }),
        (known, text, cuts) => {
          const whole = masked(known, text);
          expect(masked(known, text, cuts)).toBe(whole);
          for (const secret of known) expect(whole).not.toContain(secret);
          // What is left is the text, in order, around what was masked.
          const pattern = whole
            .split("***")
            .map((part) => part.replaceAll(/[^abé]/g, ""))
            .join("[abé]+");
          expect(text).toMatch(new RegExp(`^${pattern}$`));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
