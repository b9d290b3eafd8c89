import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { profileCli } from "./profile-cli.mjs";

/** In place of the command: says where it keeps things, and makes what is removed between two runs. */
const program = `import { appendFileSync, mkdirSync } from "node:fs";
  const { HOME, TMPDIR, XDG_CACHE_HOME, GITHUB_STEP_SUMMARY } = process.env;
  const places = [HOME, TMPDIR, XDG_CACHE_HOME, GITHUB_STEP_SUMMARY];
  appendFileSync("../places", JSON.stringify(places) + "\\n");
  mkdirSync("out", { recursive: true });`;

test("what is run to see which functions are called keeps nothing where the user's own runs do", async () => {
  const base = mkdtempSync(join(tmpdir(), "cuenv-profile-"));
  onTestFinished(() => rmSync(base, { recursive: true }));
  const [app, folder] = [join(base, "app"), join(base, "scratch")];
  mkdirSync(join(app, "bin"), { recursive: true });
  mkdirSync(folder);
  writeFileSync(join(app, "package.json"), '{ "type": "module" }');
  writeFileSync(join(app, "bin", "cuenv.js"), program);
  vi.stubEnv("XDG_CACHE_HOME", "/home/of/somebody");
  vi.stubEnv("GITHUB_STEP_SUMMARY", "/summary/of/the/job");
  await profileCli(app, folder);
  vi.unstubAllEnvs();
  const places = readFileSync(join(folder, "places"), "utf8").trim().split("\n");
  expect(places.length).toBeGreaterThan(4);
  expect(new Set(places)).toEqual(
    new Set([JSON.stringify([join(folder, "home"), folder, null, null])]),
  );
});
