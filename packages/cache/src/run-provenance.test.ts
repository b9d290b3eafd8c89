import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { runProvenance } from "./run-provenance.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function repository(): {
  readonly root: string;
  readonly git: (...args: readonly string[]) => string;
} {
  const root = realpathSync(mkdtempSync(`${tmpdir()}/cuenv-provenance-`));
  folders.push(root);
  const who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"];
  const git = (...args: readonly string[]): string =>
    execFileSync("git", [...who, "-C", root, ...args], { encoding: "utf8", stdio: "pipe" }).trim();
  git("init", "-q");
  writeFileSync(`${root}/file`, "1");
  git("add", ".");
  git("commit", "-qm", "first");
  return { root, git };
}

describe("the provenance of a run", () => {
  it("names the commit that git names: loose and packed refs, a detached HEAD, below the root", () => {
    const { root, git } = repository();
    mkdirSync(`${root}/deep/er`, { recursive: true });
    const head = git("rev-parse", "HEAD");
    expect(runProvenance(`${root}/deep/er`)).toMatchObject({ commit: head });
    git("pack-refs", "--all");
    expect(runProvenance(root)["commit"]).toBe(head);
    git("checkout", "-q", "--detach");
    expect(runProvenance(root)["commit"]).toBe(head);
  });

  it("names the commit of a worktree", () => {
    const { root, git } = repository();
    git("worktree", "add", "-q", "-b", "other", `${root}/tree`);
    writeFileSync(`${root}/tree/more`, "2");
    execFileSync("git", ["-C", `${root}/tree`, "add", "."]);
    const who = ["-c", "user.name=a", "-c", "user.email=a@b"];
    execFileSync("git", [...who, "-C", `${root}/tree`, "commit", "-qm", "second"]);
    expect(runProvenance(`${root}/tree`)["commit"]).toBe(git("rev-parse", "other"));
  });

  it("names none where there is none, or HEAD says something else", () => {
    const { root } = repository();
    writeFileSync(`${root}/.git/HEAD`, "ref: refs/heads/none\n");
    expect(runProvenance(root)).not.toHaveProperty("commit");
    writeFileSync(`${root}/.git/HEAD`, "ref: ../../../etc/passwd\n");
    expect(runProvenance(root)).not.toHaveProperty("commit");
  });
});
