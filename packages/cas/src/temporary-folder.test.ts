import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runModule, sourceUrl } from "../test/other-process.ts";
import { makeFolder } from "../test/workspace.ts";
import { openCacheFolder } from "./cache-folder.ts";
import { abandonedAfterMs, processIdentity } from "./process-identity.ts";
import { sweepAbandoned } from "./temporary-folder.ts";

let base: string;
beforeEach(() => {
  base = makeFolder();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe("what a process leaves in tmp", () => {
  it("is swept at once when the process is dead, and not while it lives", async () => {
    const { stdout } = await runModule(`
      import { processIdentity } from "${sourceUrl}/process-identity.ts";
      console.log(processIdentity());
    `);
    const dead = stdout.trim();
    const alive = processIdentity();
    for (const name of [dead, alive]) {
      mkdirSync(`${base}/${name}`);
      writeFileSync(`${base}/${name}/1`, "half");
    }
    expect(dead).not.toBe(alive);
    expect(sweepAbandoned(base, Date.now())).toBe(1);
    expect(readdirSync(base)).toEqual([alive]);
    // A clock that is years ahead does not change who is alive.
    expect(sweepAbandoned(base, Date.now() + 1e12)).toBe(0);
  });

  it("goes by age where the process cannot be asked, in another machine or container, and stays where it bears the name of none", () => {
    const [machine = "", namespace = "", ...rest] = processIdentity().split(".");
    const names = [
      ["00000000", namespace, ...rest].join("."),
      [machine, "1", ...rest].join("."),
      "spool",
    ].toSorted();
    for (const name of names) mkdirSync(`${base}/${name}`);
    expect(sweepAbandoned(base, Date.now())).toBe(0);
    const old = (Date.now() - abandonedAfterMs - 1000) / 1000;
    utimesSync(`${base}/${names[0]}`, old, old);
    utimesSync(`${base}/${names[2]}`, old, old);
    expect(names[2]).toBe("spool");
    expect(sweepAbandoned(base, Date.now())).toBe(1);
    expect(readdirSync(base)).toEqual([names[1], "spool"]);
  });

  it("is not mistaken for that of a later process with the same pid", () => {
    const [machine, namespace, pid, start, random] = processIdentity().split(".");
    const earlier = [machine, namespace, pid, String(Number(start) - 1), random].join(".");
    mkdirSync(`${base}/${earlier}`);
    expect(sweepAbandoned(base, Date.now())).toBe(1);
  });

  it("is swept by the next process that writes, and its own goes at its end", async () => {
    const root = `${base}/cache`;
    const program = `
      import { openCacheFolder } from "${sourceUrl}/cache-folder.ts";
      const folder = openCacheFolder({ root: process.env.ROOT });
      folder.assertWritable();
      folder.createTemporary();
      if (process.env.DIE) process.kill(process.pid, "SIGKILL");
      else folder.discard(folder.createTemporary());
    `;
    const killed = await runModule(program, { environment: { ROOT: root, DIE: "1" } });
    expect(killed.signal).toBe("SIGKILL");
    expect(readdirSync(`${root}/v1/tmp`)).toHaveLength(1);
    const folder = openCacheFolder({ root });
    folder.assertWritable();
    folder.discard(folder.createTemporary());
    expect(readdirSync(`${root}/v1/tmp`)).toHaveLength(1);
    expect(readdirSync(`${root}/v1/tmp`)[0]).toContain(`.${process.pid}.`);
    expect(existsSync(`${root}/v1/tmp/${readdirSync(`${root}/v1/tmp`)[0]}/1`)).toBe(false);
  });

  it("is made again when another machine swept it", () => {
    const folder = openCacheFolder({ root: `${base}/cache` });
    folder.assertWritable();
    folder.discard(folder.createTemporary());
    rmSync(`${base}/cache/v1/tmp`, { recursive: true });
    const temporary = folder.createTemporary();
    expect(existsSync(temporary.path)).toBe(true);
    folder.discard(temporary);
  });
});
