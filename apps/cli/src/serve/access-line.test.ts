import { expect, it } from "vitest";
import { accessLine } from "./access-line.ts";

const request = { frontEnd: "turborepo", route: "put", method: "PUT", status: 202, durationMs: 1 };
const at = new Date(0);

it("is one line of seven words, whatever a name or a path is", () => {
  expect(accessLine({ ...request, path: "/v8/artifacts/a", who: "ci" }, at)).toBe(
    "1970-01-01T00:00:00.000Z PUT /v8/artifacts/a 202 ci 1.0 ms\n",
  );
  const who = "oidc:x\n1970-01-01T00:00:00.000Z PUT /evil 202 admin\u001b[2J\u2028";
  const line = accessLine({ ...request, path: "/a\u009b2J b", who }, at);
  expect(line.split(" ")).toHaveLength(7);
  expect(line.slice(0, -1)).toMatch(/^[\x20-\x7e]+$/);
  expect(accessLine({ ...request, path: "/", who: undefined }, at)).toContain(" / 202 - 1.0 ms");
});
