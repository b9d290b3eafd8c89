import { describe, expect, it } from "vitest";
import { directLoopback } from "./direct-loopback.ts";

const proxy = { HTTP_PROXY: "http://proxy.example:3128" };

describe("the loopback beside a proxy", () => {
  it("is excepted from it, beside what is excepted already, in each spelling that is there", () => {
    expect(directLoopback(proxy)).toEqual({ NO_PROXY: "127.0.0.1" });
    expect(directLoopback({ all_proxy: "x", no_proxy: "localhost, .corp " })).toEqual({
      no_proxy: "localhost,.corp,127.0.0.1",
    });
    expect(directLoopback({ ...proxy, NO_PROXY: "", no_proxy: ".corp" })).toEqual({
      NO_PROXY: "127.0.0.1",
      no_proxy: ".corp,127.0.0.1",
    });
  });

  it("needs nothing where there is no proxy, or none for it", () => {
    expect(directLoopback({})).toEqual({});
    expect(directLoopback({ HTTP_PROXY: "", HTTPS_PROXY: "http://proxy.example" })).toEqual({});
    expect(directLoopback({ ...proxy, NO_PROXY: "*" })).toEqual({});
    expect(directLoopback({ ...proxy, no_proxy: ".corp,127.0.0.1" })).toEqual({});
  });
});
