import { exitCodes } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { discardCompiledCode } from "../compiled-code.ts";
import { doctorText } from "../doctor/doctor-text.ts";
import { runChecks } from "../doctor/run-checks.ts";
import { painterOf, printOut } from "../report/terminal.ts";

/** `cuenv doctor`: exit code 6 when something is broken; notes are none. */
export async function runDoctor(invocation: Invocation): Promise<number> {
  discardCompiledCode();
  const checks = await runChecks(invocation);
  const isBroken = checks.some(({ status }) => status === "broken");
  if (invocation.flags["json"] === true) {
    const rows = checks.map((check) => ({ ...check, advice: check.advice ?? null }));
    printOut(`${JSON.stringify({ version: 1, ok: !isBroken, checks: rows })}\n`);
  } else {
    const { isTTY, columns } = process.stdout;
    printOut(doctorText(checks, painterOf(1), isTTY && columns > 0 ? columns : 80));
  }
  return isBroken ? exitCodes.broken : 0;
}
