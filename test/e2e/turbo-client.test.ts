import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type Serving, startServing } from "./serving.ts";
import {
  makeTurboWorkspace,
  runProgram,
  turboProgram,
  type TurboWorkspace,
} from "./turbo-workspace.ts";

const turbo = turboProgram("2.11.11");
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const grant = (name: string, scopes: readonly string[]) => ({
  name,
  sha256: createHash("sha256").update(name).digest("hex"),
  namespaces: ["acme"],
  scopes,
});

/** Tokens that are their own names: `writer`, `reader`, and `storer`, which may only write. */
async function serve(): Promise<Serving> {
  const tokens = [
    grant("writer", ["read", "write"]),
    grant("reader", ["read"]),
    grant("storer", ["write"]),
  ];
  const serving = await startServing({}, { config: { tokens }, flags: ["--verbose"] });
  stops.push(() => serving.stop());
  return serving;
}

async function run(
  workspace: TurboWorkspace,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = { cwd: workspace.root, env: workspace.env(env) };
  const { code, output } = await runProgram([turbo, ...args], options);
  expect(code, output).toBe(0);
  return output;
}

interface Login {
  /** What a browser would be sent to. */
  readonly pageAddress: string;
  readonly ended: Promise<number | null>;
  readonly said: () => string;
}

/** `turbo login`, which listens at one port, always: another one on this machine is waited for. */
async function startLogin(
  workspace: TurboWorkspace,
  url: string,
  flags: readonly string[] = [],
): Promise<Login> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const child = spawn(turbo, ["login", "--api", url, "--login", url, ...flags], {
      cwd: workspace.root,
      env: workspace.env(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    stops.push(async () => void child.kill());
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const pattern = /(\S+\/(?:turborepo\/token|api\/auth\/sso)\?\S+)|Address in use/;
    await expect.poll(() => output, { timeout: 10_000 }).toMatch(pattern);
    const pageAddress = pattern.exec(output)?.[1];
    if (pageAddress !== undefined) return { pageAddress, ended, said: () => output };
    await setTimeout(500);
  }
  throw new Error("turbo login could not listen at its port");
}

/** What a browser does with the form of the page. */
function submit(
  { pageAddress }: Login,
  token: string,
  redirect: "follow" | "manual" = "follow",
): Promise<Response> {
  const body = new URLSearchParams({ token });
  return fetch(pageAddress, { method: "POST", body, redirect });
}

describe("turbo and cuenv serve", () => {
  it("1.5: login, link and logout end where they should, and builds in between use the cache", async () => {
    const serving = await serve();
    const { url } = serving;
    const workspace = makeTurboWorkspace();
    const login = await startLogin(workspace, url);
    // There is no browser here: what it would show and send is done by hand.
    const page = await (await fetch(login.pageAddress)).text();
    expect(page).toContain('<form method="post">');
    const callback = await submit(login, "writer");
    expect(callback.url).toBe(`${url}/turborepo/success`);
    expect(await login.ended, login.said()).toBe(0);
    expect(login.said()).toContain("authorized for writer@");

    await run(workspace, ["link", "--api", `${url}/pre/fix/`, "--yes", "--scope", "acme"]);
    const linked = readFileSync(join(workspace.root, ".turbo", "config.json"), "utf8");
    expect(JSON.parse(linked)).toEqual({ teamId: "team_acme" });
    await run(workspace, ["run", "build", "--api", url]);
    // What the server says comes through a pipe, and may come after its client has ended.
    const stored = () => serving.said().match(/ PUT \/v8\/artifacts\/\w+ 202 writer /g);
    await expect.poll(stored).toHaveLength(3);
    await run(workspace, ["logout", "--api", url]);
    await expect.poll(() => serving.said()).toContain("DELETE /v3/user/tokens/current 200 writer");
  }, 30_000);

  it("1.5: login --sso-team ends with the token, which the browser takes no further", async () => {
    const { url } = await serve();
    const workspace = makeTurboWorkspace();
    const login = await startLogin(workspace, url, ["--sso-team", "acme"]);
    const handed = await submit(login, "writer", "manual");
    const callback = await fetch(handed.headers.get("location") ?? "", { redirect: "manual" });
    expect(callback.headers.get("location")).not.toContain("writer");
    expect(await login.ended, login.said()).toBe(0);
    expect(login.said()).toContain("authorized for writer@");
  }, 30_000);

  it("1.1, 1.2 and 1.4: agree below a path, with both names of a team, a preflight, and in a dry run", async () => {
    const serving = await serve();
    const { url } = serving;
    const workspace = makeTurboWorkspace();
    const env = {
      TURBO_API: `${url}/pre/fix/`,
      TURBO_TOKEN: "writer",
      TURBO_TEAM: "acme",
      TURBO_TEAMID: "team_acme",
      TURBO_PREFLIGHT: "1",
    };
    await run(workspace, ["run", "build"], env);
    await expect.poll(() => serving.said()).toMatch(/ OPTIONS \S+ 200 /);
    workspace.wipe();
    const dry = await run(workspace, ["run", "build", "--dry=json"], env);
    const { tasks } = JSON.parse(dry.slice(dry.indexOf("{"))) as { tasks: { cache: object }[] };
    expect(tasks.map(({ cache }) => cache)).toEqual(
      Array.from({ length: 3 }, () =>
        expect.objectContaining({ local: false, remote: true, status: "HIT", source: "REMOTE" }),
      ),
    );
    expect(await run(workspace, ["run", "build"], env)).toContain("FULL TURBO");
    expect(workspace.runs()).toEqual({ core: 1, lib: 1, app: 1 });
  });

  it("1.3: who may only write stores; who may only read has hits, and one warning for all that it cannot store", async () => {
    const serving = await serve();
    const { url } = serving;
    const workspace = makeTurboWorkspace();
    const env = { TURBO_API: url, TURBO_TEAM: "acme" };
    const stored = await run(workspace, ["run", "build"], { ...env, TURBO_TOKEN: "storer" });
    expect(stored).not.toMatch(/warning/i);
    workspace.wipe();
    workspace.write("packages/lib/src/in.txt", "changed\n");
    const output = await run(workspace, ["run", "build"], { ...env, TURBO_TOKEN: "reader" });
    expect(workspace.runs()).toEqual({ core: 1, lib: 2, app: 2 });
    expect(output.match(/WARNING/g), output).toHaveLength(1);
    await expect.poll(() => serving.said()).toMatch(/ PUT \S+ 403 reader /);
  });

  it("2: signed by old and new clients, and unsigned, use one process: each its own, none an error", async () => {
    const { url } = await serve();
    const signed = makeTurboWorkspace({ signature: true });
    const unsigned = makeTurboWorkspace();
    const key = "a signature key of more than thirty-two bytes";
    const env = { TURBO_API: url, TURBO_TOKEN: "writer", TURBO_TEAMID: "team_acme" };
    const build = async (workspace: TurboWorkspace, version: "2.9.6" | "2.11.11", more = {}) => {
      workspace.wipe();
      const options = { cwd: workspace.root, env: workspace.env({ ...env, ...more }) };
      const argv = [turboProgram(version), "run", "build"];
      const { code, output } = await runProgram(argv, options);
      expect(code, output).toBe(0);
      return /Cached: +(\d) cached/.exec(output)?.[1];
    };
    const keyed = { TURBO_REMOTE_CACHE_SIGNATURE_KEY: key };
    expect(await build(signed, "2.9.6", keyed)).toBe("0");
    expect(await build(signed, "2.9.6", keyed)).toBe("3");
    // Version 2 of a tag is made otherwise: a miss, then its own.
    expect(await build(signed, "2.11.11", keyed)).toBe("0");
    expect(await build(signed, "2.11.11", keyed)).toBe("3");
    expect(await build(unsigned, "2.11.11")).toMatch(/[03]/);
    expect(await build(unsigned, "2.11.11")).toBe("3");
  });
});
