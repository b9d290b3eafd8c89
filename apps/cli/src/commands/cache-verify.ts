import { storedTrust, type Verification, verifyCache } from "@cuenv/cache/maintenance";
import { CuenvError, exitCodes } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { openSettings } from "../project/open-project.ts";
import { visibleText } from "../report/visible-text.ts";
import { formatBytes } from "../run/format-duration.ts";
import { runMaintenance } from "../statistics/run-maintenance.ts";

/** `cuenv cache verify`: exit code 4 when there is damage, 0 when there is none or all of it was mended. */
export function runCacheVerify(invocation: Invocation): Promise<number> {
  return runMaintenance({ doing: "Checking", done: "checked" }, async (run) => {
    const { settings, trust, workspaceRoot } = await openSettings(invocation, { remember: false });
    const verify =
      invocation.flags["signatures"] === true
        ? storedTrust(settings, trust, workspaceRoot).verify
        : undefined;
    if (invocation.flags["signatures"] === true && verify === undefined) {
      throw new CuenvError("USAGE", "cannot verify signatures: trust is off", {
        hint: "CUENV_TRUST=local asks for this machine's own.",
      });
    }
    const repair = invocation.flags["repair"] === true;
    const found = await verifyCache(settings, { ...run, repair, verify });
    const left = found.problems.filter((problem) => !problem.repaired);
    return {
      text:
        invocation.flags["json"] === true
          ? `${JSON.stringify(document(found))}\n`
          : text(found, left.length, settings.cacheDir),
      exitCode: left.length > 0 ? exitCodes.damage : 0,
    };
  });
}

function document(found: Verification): Record<string, unknown> {
  return {
    version: 1,
    checked: found.blobs + found.entries,
    blobs: found.blobs,
    blobBytes: found.blobBytes,
    entries: found.entries,
    corrupt: found.problems,
    repaired: found.problems.filter((problem) => problem.repaired).length,
    abandonedTemporaries: found.abandonedTemporaries,
  };
}

function text(found: Verification, left: number, cacheDir: string): string {
  const problems = found.problems.map(
    ({ kind, path, detail, repaired }) =>
      `${repaired ? "repaired" : kind === "untrustedEntry" ? "untrusted" : "damaged"}: ${visibleText(`${path}: ${detail}`)} (${kind})\n`,
  );
  const checked = `Checked ${found.entries} results and ${found.blobs} blobs (${formatBytes(found.blobBytes)}) in ${visibleText(cacheDir)}`;
  if (problems.length === 0) return `${checked}: no damage.\n`;
  const untrusted = found.problems.filter(({ kind }) => kind === "untrustedEntry").length;
  const counts = [
    `${problems.length - untrusted} damaged`,
    ...(untrusted === 0 ? [] : [`${untrusted} not trusted`]),
    `${problems.length - left} repaired`,
  ].join(", ");
  const advice =
    left > 0
      ? "cuenv cache verify --repair removes them; what was lost is made again when it is needed.\n"
      : "";
  return `${problems.join("")}${checked}: ${counts}.\n${advice}`;
}
