import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import type { Secret } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { describe, expect, it } from "vitest";
import { plainEnvironment, temporaryFolder } from "../test/project.ts";
import { createSecretResolver, resolveEnvironment, type SecretResolver } from "./index.ts";

function resolver(): SecretResolver {
  return createSecretResolver({ cwd: tmpdir(), env: plainEnvironment() });
}

function secret(script: string, ...args: readonly string[]): Secret {
  return { kind: "secret", argv: ["sh", "-c", script, "sh", ...args] };
}

async function failureOf(of: Secret): Promise<CuenvError> {
  const error = await resolver()(of).catch((thrown: unknown) => thrown);
  if (error instanceof CuenvError) return error;
  throw new Error("it did not fail");
}

describe("createSecretResolver", () => {
  it("takes what the command prints, without the newlines at its end", async () => {
    expect(await resolver()(secret("printf 's3 cret\\n\\n'"))).toBe("s3 cret");
    expect(await resolver()(secret("printf 'a\\nb\\r\\n'"))).toBe("a\nb");
  });

  it("runs each command once in a run, however many ask, and four at once at most", async () => {
    const folder = temporaryFolder();
    const resolve = resolver();
    const script = 'echo start >> "$1"; sleep 0.03; echo end >> "$1"; echo "value$2"';
    const log = join(folder, "log");
    const asked = Array.from({ length: 24 }, (_, index) =>
      resolve(secret(script, log, String(index % 8))),
    );
    const values = await Promise.all(asked);
    expect(new Set(values).size).toBe(8);
    const events = readFileSync(log, "utf8").trim().split("\n");
    expect(events).toHaveLength(16);
    let running = 0;
    const atOnce = events.map((event) => (running += event === "start" ? 1 : -1));
    expect(Math.max(...atOnce)).toBeLessThanOrEqual(4);
  });

  it.each([
    ["echo s3cret; exit 4", "exit code 4"],
    ["printf 's3cret\\000'", "NUL"],
    ["printf 's3cret\\377'", "UTF-8"],
    ["head -c 200000 /dev/zero | tr '\\0' s", "more than"],
    [":", "printed nothing"],
  ])("fails without telling what was printed: %s", async (script, reason) => {
    const error = await failureOf(secret(script));
    expect(error.code).toBe("RUN_SECRET");
    expect(error.message).toContain(reason);
    expect(
      JSON.stringify([error.message, error.hint, error.stack, String(error.cause)]),
    ).not.toContain("s3cret");
  });

  it("takes one field of the JSON that it prints, and says nothing of the rest", async () => {
    const printed = JSON.stringify({ user: "u", port: 5432, empty: "", nul: "a\0b", list: ["x"] });
    const ask = (jsonKey: string, text = printed): Promise<string> =>
      resolver()({ kind: "secret", argv: ["printf", "%s", text], jsonKey });
    expect(await ask("user")).toBe("u");
    expect(await ask("port")).toBe("5432");
    for (const key of ["empty", "list", "other", "nul", "toString"]) {
      const error: unknown = await ask(key).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "RUN_SECRET" });
      expect(String(error)).not.toContain("5432");
    }
    const error: unknown = await ask("user", "hush hush").catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("it printed no JSON");
    expect(String(error)).not.toContain("hush");
  });

  it("says that the command is not there", async () => {
    const error = await failureOf({ kind: "secret", argv: ["no-such-vault"] });
    expect(error.message).toContain("no such program");
  });
});

describe("resolveEnvironment", () => {
  const options = {
    outputsOf: (task: string) =>
      task === "version"
        ? { stdout: Buffer.from("1.2\n"), stderr: Buffer.of(), exitCode: 0 }
        : undefined,
    resolveSecret: async (of: Secret) => `secret-${of.argv[0]}`,
    host: { HOST_SET: "here" },
  };

  it("resolves every kind of value, and leaves out what the host does not have", async () => {
    const resolved = await resolveEnvironment(
      {
        PLAIN: "x",
        TOKEN: { kind: "secret", argv: ["a"] },
        VERSION: { kind: "taskOutput", task: "version", output: "stdout" },
        SET: { kind: "host", name: "HOST_SET" },
        UNSET: { kind: "host", name: "HOST_UNSET" },
        URL: {
          kind: "joined",
          parts: [
            "https://",
            { kind: "secret", argv: ["b"] },
            "@v",
            { kind: "taskOutput", task: "version", output: "stdout" },
          ],
        },
      },
      options,
    );
    expect(resolved.values).toEqual({
      PLAIN: "x",
      TOKEN: "secret-a",
      VERSION: "1.2",
      SET: "here",
      URL: "https://secret-b@v1.2",
    });
    expect([...resolved.secretNames]).toEqual(["TOKEN", "URL"]);
    expect(resolved.secretValues).toEqual(["secret-a", "secret-b"]);
  });

  it("refuses a value with a NUL byte, naming the variable only", async () => {
    const resolving = resolveEnvironment({ BAD: "sup3r\0x" }, options);
    await expect(resolving).rejects.toMatchObject({
      code: "RUN_ENVIRONMENT",
      message: expect.stringContaining("BAD"),
    });
    await expect(resolving).rejects.not.toMatchObject({
      message: expect.stringContaining("sup3r"),
    });
  });

  it("starts no resolver for a variable that has none", async () => {
    const marker = join(temporaryFolder(), "ran");
    await resolveEnvironment({ A: "b" }, { ...options, resolveSecret: resolver() });
    expect(existsSync(marker)).toBe(false);
  });

  it("names the variable whose secret could not be had, and the task with its place", async () => {
    const location = { file: "/p/env.cue", line: 3 };
    const vault: Secret = { kind: "secret", argv: ["vault"] };
    const resolving = resolveEnvironment(
      { FIRST: "x", TOKEN: { kind: "joined", parts: ["a", vault] } },
      {
        ...options,
        task: { name: "deploy", location },
        resolveSecret: () =>
          Promise.reject(new CuenvError("RUN_SECRET", "cannot get it", { hint: "unlock" })),
      },
    );
    await expect(resolving).rejects.toMatchObject({
      code: "RUN_SECRET",
      message: "cannot set TOKEN for deploy: cannot get it",
      hint: "unlock",
      location,
    });
  });
});
