import { readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeWorkspace, type Workspace } from "../test/workspace.ts";
import { sensitiveReason } from "./sensitive-name.ts";

let space: Workspace;
beforeEach(() => {
  space = makeWorkspace();
});
afterEach(() => space.cleanUp());

const pem = "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n";
const asked = (path: string, text = ""): string | undefined =>
  sensitiveReason(path, () => Buffer.from(text));

describe("T9: files that hold credentials", () => {
  it.each([
    "dist/.env",
    ".ENV",
    "a/.env.local",
    ".npmrc",
    "x/.netrc",
    "_netrc",
    ".pypirc",
    ".pgpass",
    ".git-credentials",
    "home/id_ed25519",
    "id_rsa",
    "id_ecdsa_sk",
    "a.p12",
    "A.PFX",
    "s.jks",
    "home/.aws/credentials",
    ".docker/config.json",
    ".kube/config",
  ])("%s is one", (path) => {
    expect(asked(path)).toBe("files of this name hold credentials");
  });

  it.each([
    ".env.example",
    ".env.sample",
    ".env.template",
    "env",
    "dist/.environment",
    "a.env",
    "id_rsa.pub",
    "credentials",
    "config.json",
    ".p12",
    "dist/npmrc",
    "node_modules/x/.npmrc",
    "a/node_modules/b/.env",
  ])("%s is none", (path) => {
    expect(asked(path)).toBeUndefined();
  });

  it("are private keys by what is in them, and only files of such names are read", () => {
    expect(asked("dist/server.pem", pem)).toBe("it is a private key");
    expect(asked("dist/server.KEY", pem.replace("PRIVATE", "EC PRIVATE"))).toBe(
      "it is a private key",
    );
    expect(asked("dist/ca.pem", "-----BEGIN CERTIFICATE-----")).toBeUndefined();
    expect(
      sensitiveReason("dist/a.js", () => {
        throw new Error("read");
      }),
    ).toBeUndefined();
  });

  it("are not stored when a folder takes them along: no byte of them is in the store", async () => {
    space.write("dist/.env", "TOKEN=s3cr3t");
    space.write("dist/tls/server.key", pem);
    space.write("dist/a.js", "a");
    const { problems } = await space.capture("", ["dist"]);
    expect(problems.map(({ path }) => path)).toEqual(["dist/.env", "dist/tls/server.key"]);
    expect(problems[0]?.message).toContain("declare it by its name");
    expect(readdirSync(space.root + "/..")).not.toContain("cache");
  });

  it("are stored when their author names them, and left out with an exception", async () => {
    space.write("dist/.env", "PUBLIC_URL=/");
    space.write("dist/a.js", "a");
    const named = await space.capture("", ["dist", "dist/.env"]);
    expect([named.problems, named.entries.length]).toEqual([[], 3]);
    const without = await space.capture("", ["dist", "!dist/.env"]);
    expect([without.problems, without.entries.length]).toEqual([[], 2]);
    expect((await space.capture("", ["dist", "dist/.e*"])).problems).toHaveLength(1);
  });
});
