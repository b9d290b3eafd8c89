import { describe, expect, it } from "vitest";
import { createAccessPolicy, hashToken, type TokenGrant } from "./access-policy.ts";

const reader: TokenGrant = {
  name: "reader",
  sha256: hashToken("secret"),
  namespaces: ["acme"],
  scopes: ["read"],
};

describe("an access policy", () => {
  it("knows a token by its hash, and nobody else's", async () => {
    const policy = createAccessPolicy({ grants: [reader] });
    expect(await policy.identify("secret")).toMatchObject({ name: "reader", scopes: ["read"] });
    expect(await policy.identify(reader.sha256)).toBeUndefined();
    expect(await policy.identify(undefined)).toBeUndefined();
  });

  it("refuses two grants for one token: which of them would count?", () => {
    const grants: TokenGrant[] = [
      reader,
      { ...reader, name: "everything", namespaces: "*", scopes: ["read", "write"] },
    ];
    expect(() => createAccessPolicy({ grants })).toThrow(
      expect.objectContaining({
        code: "SERVER_CONFIG_INVALID",
        message: 'cannot use token "everything": it is the same as "reader"',
      }),
    );
  });
});
