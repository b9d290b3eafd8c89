import { execFileSync } from "node:child_process";

/** Node has no call for it. */
export function mkfifoSync(path: string): void {
  execFileSync("mkfifo", [path]);
}
