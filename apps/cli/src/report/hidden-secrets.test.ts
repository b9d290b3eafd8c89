import { describe, expect, it } from "vitest";
import { hideSecrets, withoutSecrets } from "./hidden-secrets.ts";

const hash = `${"ab".repeat(28)}47110123`;
const hexToken = "0f".repeat(32);

describe("what we say ourselves", () => {
  it("is left as it is where there are no secrets", () => {
    expect(withoutSecrets(`{"a":  1}\n${hash}`)).toBe(`{"a":  1}\n${hash}`);
  });

  it("has *** for secrets, whole ones before parts, whatever letters they have", () => {
    hideSecrets(["4711", "a.b*c(d)", "secret", "secret-and-more", 'quote"d', hexToken]);
    expect(withoutSecrets("x4711y secret-and-more secret secrets")).toBe("x***y *** *** ***s");
    expect(withoutSecrets("a.b*c(d) axb*c(d)")).toBe("*** axb*c(d)");
    expect(withoutSecrets(`the argument ${JSON.stringify('quote"d')}`)).toBe('the argument "***"');
    expect(withoutSecrets(`token=${hexToken}`)).toBe("token=***");
  });

  it("keeps a hash that has one in it by chance", () => {
    expect(withoutSecrets(`key ${hash} 4711`)).toBe(`key ${hash} ***`);
  });

  it("stays the JSON that it was, with its numbers and layout", () => {
    const document = { version: 1, ms: 4711, text: 'say 4711 and "quote"d"', list: ["4711"], hash };
    const masked = { ...document, text: 'say *** and "***"', list: ["***"] };
    expect(withoutSecrets(`${JSON.stringify(document)}\n`)).toBe(`${JSON.stringify(masked)}\n`);
    expect(withoutSecrets(JSON.stringify(document, undefined, 2))).toBe(
      JSON.stringify(masked, undefined, 2),
    );
    expect(withoutSecrets('{"broken": 4711')).toBe('{"broken": ***');
  });
});
