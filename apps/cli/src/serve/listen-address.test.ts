import { describe, expect, it } from "vitest";
import { isLoopback, parseListenAddress, urlOf } from "./listen-address.ts";

describe("an address to listen at", () => {
  it.each([
    ["8484", { host: "127.0.0.1", port: 8484 }],
    ["0", { host: "127.0.0.1", port: 0 }],
    ["0.0.0.0:8484", { host: "0.0.0.0", port: 8484 }],
    [":8484", { host: "::", port: 8484 }],
    ["[::1]:80", { host: "::1", port: 80 }],
    ["cache.internal:65535", { host: "cache.internal", port: 65_535 }],
  ])("is read from %s", (text, address) => {
    expect(parseListenAddress(text, "--http")).toEqual(address);
  });

  it.each(["", "host", "host:", "1.2.3.4:65536", "http://x:80", "a b:80", "::1:80", "-1"])(
    "is not read from %j",
    (text) => {
      expect(() => parseListenAddress(text, "--grpc")).toThrow("not an address");
    },
  );

  it("is this machine's alone only where nobody else can reach it", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
      expect(isLoopback(host), host).toBe(true);
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.evil.example", "127.evil"])
      expect(isLoopback(host), host).toBe(false);
    expect(urlOf({ host: "::1", port: 80 }, "grpcs")).toBe("grpcs://[::1]:80");
  });
});
