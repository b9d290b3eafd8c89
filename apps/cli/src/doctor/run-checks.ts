import type { Invocation } from "../command-line/command.ts";
import { type Check, note } from "./check.ts";
import { checkCacheFolder } from "./check-cache-folder.ts";
import { checkConfiguration } from "./check-configuration.ts";
import { checkEnvironment } from "./check-environment.ts";
import { checkMachine, thisMachine } from "./check-machine.ts";
import { checkRemote } from "./check-remote.ts";
import { checkTrust } from "./check-trust.ts";

/** All checks, in the order in which they are told. Writes nothing that stays. */
export async function runChecks(invocation: Invocation): Promise<readonly Check[]> {
  const machine = checkMachine(thisMachine());
  const environment = checkEnvironment(process.env);
  const { checks, settings, trust, workspaceRoot } = await checkConfiguration(invocation);
  const first = [...machine, ...checks, ...environment];
  if (settings === undefined || trust === undefined)
    return [...first, note("cache folder", "not looked at: the settings cannot be read")];
  return [
    ...first,
    ...checkCacheFolder(settings, workspaceRoot),
    ...checkTrust(trust, workspaceRoot),
    await checkRemote(settings),
  ];
}
