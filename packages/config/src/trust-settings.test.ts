import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CuenvError } from "@cuenv/errors";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadSettingsFiles } from "./settings-files.ts";
import { trustModes } from "./read-trust-settings.ts";
import { resolveTrustSettings } from "./trust-settings.ts";

const environment = { HOME: "/home/ann" };

async function loaded(files: Readonly<Record<string, string>>) {
  const base = mkdtempSync(join(tmpdir(), "trust-settings-"));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  for (const folder of ["work", "home/.config/cuenv"])
    mkdirSync(join(base, folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(base, name), text);
  const work = join(base, "work");
  const place = {
    projectDirectory: work,
    workspaceRoot: work,
    environment: { HOME: join(base, "home") },
  };
  return loadSettingsFiles(place);
}

async function errorOf(step: () => unknown): Promise<CuenvError> {
  try {
    await step();
  } catch (error) {
    if (error instanceof CuenvError) return error;
    throw error;
  }
  throw new Error("expected an error");
}

describe("resolveTrustSettings", () => {
  it("trusts this machine by default, and keeps keys out of workspace and cache", () => {
    expect(resolveTrustSettings({ environment })).toEqual({
      mode: "local",
      trustFile: "/home/ann/.config/cuenv/trusted-keys",
      stateDirectory: "/home/ann/.local/state/cuenv",
    });
    const xdg = { ...environment, XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "/s" };
    expect(resolveTrustSettings({ environment: xdg })).toMatchObject({
      trustFile: "/c/cuenv/trusted-keys",
      stateDirectory: "/s/cuenv",
    });
    const relative = { ...environment, XDG_STATE_HOME: "s" };
    expect(resolveTrustSettings({ environment: relative }).stateDirectory).toBe(
      "/home/ann/.local/state/cuenv",
    );
  });

  it("takes variables before the user's file, empty ones for unset", () => {
    const user = { mode: "required", file: "~/keys" } as const;
    const set = { ...environment, CUENV_TRUST: "CI-only", CUENV_TRUST_FILE: "/etc/keys" };
    expect(resolveTrustSettings({ environment: set, user })).toMatchObject({
      mode: "ci-only",
      trustFile: "/etc/keys",
    });
    const empty = { ...environment, CUENV_TRUST: "", CUENV_TRUST_FILE: "" };
    expect(resolveTrustSettings({ environment: empty, user })).toMatchObject({
      mode: "required",
      trustFile: "/home/ann/keys",
    });
    expect(resolveTrustSettings({ environment, user: { file: "keys" } }).trustFile).toBe(
      "/home/ann/.config/cuenv/keys",
    );
  });

  it("knows four modes, and refuses any other word", async () => {
    for (const mode of trustModes)
      expect(
        resolveTrustSettings({ environment: { ...environment, CUENV_TRUST: mode } }).mode,
      ).toBe(mode);
    const error = await errorOf(() =>
      resolveTrustSettings({ environment: { CUENV_TRUST: "none" } }),
    );
    expect(error.code).toBe("CONFIG_VALUE");
    expect(error.message).toContain("CUENV_TRUST");
  });
});

describe("trust in settings files", () => {
  it("is the user's to set", async () => {
    const { trust } = await loaded({
      "home/.config/cuenv/config.yaml": "trust:\n  mode: required\n  file: ~/k\n",
    });
    expect(trust).toEqual({ mode: "required", file: "~/k" });
    const text = '{"trust": {"locked": true}}';
    expect((await loaded({ "home/.config/cuenv/config.json": text })).trust).toEqual({
      locked: true,
    });
    expect((await loaded({ "home/.config/cuenv/config.json": '{"cache":{}}' })).trust).toEqual({});
  });

  it("T15: is not the workspace's to set", async () => {
    for (const field of ["trust", "trustMode", "trustFile"]) {
      const text = JSON.stringify({ [field]: { mode: "off" } });
      expect((await errorOf(() => loaded({ "work/cuenv.cache.json": text }))).code, field).toBe(
        "CONFIG_USERS_ONLY",
      );
    }
  });

  it("refuses what it does not know, with the place", async () => {
    for (const [text, code] of [
      ['{"trust": {"mode": "of"}}', "CONFIG_VALUE"],
      ['{"trust": "off"}', "CONFIG_TYPE"],
      ['{"trust": {"locked": "yes"}}', "CONFIG_TYPE"],
      ['{"trust": {"mode": "off",\n "keys": []}}', "CONFIG_UNKNOWN_FIELD"],
      ['{"turst": {"mode": "off"}}', "CONFIG_UNKNOWN_FIELD"],
    ] as const) {
      const error = await errorOf(() => loaded({ "home/.config/cuenv/config.json": text }));
      expect(error.code, text).toBe(code);
      expect(error.location?.file, text).toContain("config.json");
      expect(error.location?.line, text).toBe(text.includes("\n") ? 2 : 1);
    }
  });
});
