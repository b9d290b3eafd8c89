import { CuenvError } from "@cuenv/errors";
import { createSecretResolver, resolveEnvironment, runAttached } from "@cuenv/runner";
import type { Invocation } from "../command-line/command.ts";
import { openProject } from "../project/open-project.ts";
import { printErr, printOut } from "../report/terminal.ts";
import { ownVariables } from "../run/host-environment.ts";

/** `cuenv exec`: a command with the project's variables, as if cuenv were not there. Never cached. */
export async function runExecCommand(invocation: Invocation): Promise<number> {
  const argv = [...invocation.names, ...(invocation.rest ?? [])];
  if (argv.length === 0) {
    throw new CuenvError("USAGE", "cannot run exec: no command was given", {
      hint: "cuenv exec -- COMMAND [ARGS…]",
    });
  }
  const open = await openProject(invocation);
  const host = ownVariables();
  const resolved = await resolveEnvironment(open.project.env, {
    outputsOf: () => undefined,
    resolveSecret: createSecretResolver({ cwd: open.projectDirectory, env: host }),
    host,
  });
  const json = invocation.flags["json"] === true;
  const outcome = await runAttached({
    argv,
    cwd: process.cwd(),
    env: { ...host, ...resolved.values },
    stdout: json ? "stderr" : "inherit",
  });
  if (outcome.status === "notFound" || outcome.status === "notExecutable") {
    printErr(
      `error: ${outcome.message}\n${outcome.hint === undefined ? "" : `hint: ${outcome.hint}\n`}`,
    );
  }
  if (json) {
    const { status, exitCode, durationMs } = outcome;
    const document = { version: 1, outcome: status, exitCode, durationMs: Math.round(durationMs) };
    printOut(`${JSON.stringify(document)}\n`);
  }
  return outcome.exitCode;
}
