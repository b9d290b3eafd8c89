import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, uptime } from "node:os";
import { processStat } from "./process-stat.ts";

/** A folder of a process that cannot be asked (another machine or container) is abandoned after this time (1 h). */
export const abandonedAfterMs: number = 60 * 60 * 1000;

/*
 * The name of what belongs to one process: `<machine>.<namespace>.<pid>.<start>.<random>`.
 *
 * machine: 8 digits of the boot id, or of the host's name; namespace: of the process ids (containers that share a
 * folder have the same pids); start: clock ticks since boot, so that a pid that was given again is not mistaken
 * for its first owner. What the system does not say is `0`.
 */
const identityPattern = /^([0-9a-z]{1,8})\.(\d+)\.(\d+)\.(\d+)\.[0-9a-f]{16}$/;

let machineAndNamespace: string | undefined;

/** Another one after each start of the system. Where it has no name for that, the minute in which it started. */
export function bootIdentity(): string {
  return linuxBoot() ?? `${Math.round((Date.now() / 1000 - uptime()) / 60)}`;
}

function linuxBoot(): string | undefined {
  return readText("/proc/sys/kernel/random/boot_id")?.replaceAll("-", "").slice(0, 8);
}

function here(): string {
  if (machineAndNamespace !== undefined) return machineAndNamespace;
  const machine =
    linuxBoot() ??
    hostname()
      .toLowerCase()
      .replaceAll(/[^0-9a-z]/gu, "")
      .slice(0, 8);
  let namespace = "0";
  try {
    namespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    // Not Linux.
  }
  machineAndNamespace = `${machine === "" ? "0" : machine}.${namespace}`;
  return machineAndNamespace;
}

let ofThisProcess: string | undefined;

/** A new name for something of this process. */
export function processIdentity(): string {
  ofThisProcess ??= `${here()}.${process.pid}.${processStart(process.pid) ?? "0"}`;
  return `${ofThisProcess}.${randomBytes(8).toString("hex")}`;
}

/** Whether a name is one that {@link processIdentity} gave, here or elsewhere: what bears another is not of cuenv. */
export function isProcessIdentity(name: string): boolean {
  return identityPattern.test(name);
}

/**
 * Whether the owner of `name` is gone, so that what bears the name can be removed. A name that is not an identity,
 * and an owner that cannot be asked, go by age.
 */
export function isAbandoned(name: string, modifiedMs: number, nowMs: number): boolean {
  const old = nowMs - modifiedMs > abandonedAfterMs;
  const match = identityPattern.exec(name);
  if (match === null) return old;
  const [, machine, namespace, pid, start] = match;
  if (`${machine}.${namespace}` !== here()) return old;
  if (start === "0") return !isRunning(Number(pid)) || old;
  return processStart(Number(pid)) !== start;
}

/** Whether the owner of `name` can be asked: it has, or had, a process id of this system, since it started. */
export function isOfThisMachine(name: string): boolean {
  const [, machine, namespace] = identityPattern.exec(name) ?? [];
  return `${machine}.${namespace}` === here();
}

/** The process id in a name that {@link processIdentity} gave; undefined when that process is elsewhere, or has ended. */
export function runningProcess(name: string): number | undefined {
  const [, machine, namespace, pid, start] = identityPattern.exec(name) ?? [];
  if (pid === undefined || `${machine}.${namespace}` !== here()) return undefined;
  const isThere = start === "0" ? isRunning(Number(pid)) : processStart(Number(pid)) === start;
  return isThere ? Number(pid) : undefined;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * When a process began, in the system's own words: another one that was given its number later began at another time. Undefined: it has ended, or the
 * system does not say.
 */
export function processStart(pid: number): string | undefined {
  return processStat(pid)?.[19];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return undefined;
  }
}
