import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { collecting, temporaryFolder } from "../test/project.ts";
import { runProcess } from "./index.ts";

function shell(script: string): readonly string[] {
  return ["sh", "-c", script];
}

it("gives a command pipes, not sockets, so that it can open /dev/stdout and /dev/stderr as in a shell (row 41)", async () => {
  const run = collecting(
    shell("echo out > /dev/stdout; echo err > /dev/stderr; test -p /dev/stdout"),
  );
  expect(await runProcess(run.request)).toMatchObject({ status: "succeeded" });
  expect(run.stdout().toString()).toBe("out\n");
  expect(run.stderr().toString()).toBe("err\n");
});

it("does with sockets where no pipe can be made", () => {
  const program = `import { runProcess } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
    const sink = (chunk) => process.stdout.write(chunk);
    await runProcess({ argv: ["/bin/sh", "-c", "echo out; echo err >&2"], cwd: "/", env: {}, stdin: "ignore", stdout: sink, stderr: sink });`;
  for (const broken of [{ PATH: "/no/such/folder" }, { TMPDIR: "/no/such/folder" }]) {
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      env: { ...process.env, ...broken },
      encoding: "utf8",
    });
    expect(run.stderr).toBe("");
    expect(run.stdout.split("\n").toSorted()).toEqual(["", "err", "out"]);
  }
});

it("uses pipes that an earlier process left, without making any", () => {
  const own = temporaryFolder();
  const program = `import { keepSparePipes, runProcess } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
    keepSparePipes(process.env.TMPDIR + "/pipes");
    const sink = (chunk) => process.stdout.write(chunk);
    const argv = ["/bin/sh", "-c", "echo out > /dev/stdout; echo err > /dev/stderr"];
    for (let round = 0; round < 3; round += 1)
      await runProcess({ argv, cwd: "/", env: {}, stdin: "ignore", stdout: sink, stderr: sink });`;
  const run = (PATH = process.env["PATH"]) => {
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      env: { ...process.env, TMPDIR: own, PATH },
      encoding: "utf8",
    });
    expect(child.stderr).toBe("");
    return child.stdout.split("\n").filter(Boolean).toSorted();
  };
  const all = ["err", "err", "err", "out", "out", "out"];
  expect(run()).toEqual(all);
  // Where mkfifo is not found, only pipes that are there already can be opened by their path.
  expect(run("/no/such/folder")).toEqual(all);
  expect(readdirSync(own)).toEqual(["pipes"]);
  expect(readdirSync(join(own, "pipes")).filter((name) => name.endsWith(".taken"))).toEqual([]);
});

it("leaves no named pipe and no open descriptor behind", async () => {
  const own = temporaryFolder();
  vi.stubEnv("TMPDIR", own);
  try {
    for (let round = 0; round < 20; round += 1)
      await runProcess(collecting(shell("echo x")).request);
    await Promise.all(
      Array.from({ length: 20 }, () => runProcess(collecting(["no-such-program-of-ours"]).request)),
    );
    const open = readdirSync("/proc/self/fd").length;
    for (let round = 0; round < 64; round += 1)
      await runProcess(collecting(shell("echo x")).request);
    // Pipes may be in the making for the next tasks.
    await vi.waitFor(() => expect(readdirSync(own)).toEqual([]), 5000);
    // A batch of them, that are ready, may lie in between.
    expect(Math.abs(readdirSync("/proc/self/fd").length - open)).toBeLessThanOrEqual(80);
  } finally {
    vi.unstubAllEnvs();
  }
});

it("gives no command a pipe that something of an earlier one still writes to", async () => {
  const go = join(temporaryFolder(), "go");
  const late = collecting(
    shell(`(while ! test -e '${go}'; do sleep 0.01; done; echo late; echo late >&2) & echo soon`),
    { drainMs: 50 },
  );
  expect(await runProcess(late.request)).toMatchObject({ outputComplete: false });
  expect(late.stdout().toString()).toBe("soon\n");
  for (let round = 0; round < 20; round += 1) {
    if (round === 5) writeFileSync(go, "");
    if (round === 10) await sleep(100);
    const next = collecting(shell("echo out; echo err >&2; sleep 0.01"));
    await runProcess(next.request);
    expect(next.stdout().toString()).toBe("out\n");
    expect(next.stderr().toString()).toBe("err\n");
  }
  expect(existsSync(go)).toBe(true);
});

it("gives no command a pipe that an earlier one opened to read, and so can open to write once more", async () => {
  const go = join(temporaryFolder(), "go");
  const keeper = collecting(
    shell(
      `exec 3< /dev/stdout; (while ! test -e '${go}'; do sleep 0.01; done; echo EVIL > /proc/self/fd/3) > /dev/null 2>&1 & echo said`,
    ),
  );
  await runProcess(keeper.request);
  expect(keeper.stdout().toString()).toBe("said\n");
  for (let round = 0; round < 8; round += 1) {
    const next = collecting(shell(`echo out; : > '${go}'; sleep 0.05; echo end`));
    await runProcess(next.request);
    expect(next.stdout().toString()).toBe("out\nend\n");
    expect(next.stderr().toString()).toBe("");
  }
});

it("holds no descriptors for commands to come that starting one needs, where there are few", () => {
  const program = `import { runProcess } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
    let refused = 0;
    let said = "";
    const sink = (chunk) => { said += chunk; };
    const argv = ["/bin/sh", "-c", "echo out; echo err >&2"];
    for (let round = 0; round < 20; round += 1)
      await runProcess({ argv, cwd: "/", env: {}, stdin: "ignore", stdout: sink, stderr: sink }).catch(() => { refused += 1; });
    process.stdout.write(JSON.stringify([refused, said.length]));`;
  for (const files of [26, 28, 30, 32, 40]) {
    const node = [process.execPath, "--input-type=module", "-e", program];
    const { stdout } = spawnSync("bash", ["-c", `ulimit -n ${files}; exec "$0" "$@"`, ...node], {
      encoding: "utf8",
    });
    // Node itself has some 20. Too few for one command are too few for all.
    if (files < 40 && stdout === "[20,0]") continue;
    expect({ files, stdout }).toEqual({ files, stdout: "[0,160]" });
  }
});
