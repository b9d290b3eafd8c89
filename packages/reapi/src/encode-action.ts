import type { Action, Command, NameValue, Platform } from "./canonical-messages.ts";
import { sortAndDeduplicate, sortProperties, sortUnique } from "./canonical-order.ts";
import { writeDigest } from "./encode-directory.ts";
import {
  encodeMessage,
  writeBoolean,
  writeBytes,
  writeInteger,
  writeMessage,
  writeString,
  writeStringItem,
} from "./wire-writer.ts";

function writeNameValue(pair: NameValue): void {
  writeString(1, pair.name);
  writeString(2, pair.value);
}

function writePlatform(platform: Platform): void {
  for (const property of sortProperties(platform.properties)) {
    writeMessage(1, property, writeNameValue);
  }
}

/** google.protobuf.Duration. */
function writeDuration(milliseconds: number): void {
  const seconds = Math.trunc(milliseconds / 1000);
  writeInteger(1, seconds);
  writeInteger(2, Math.round((milliseconds - seconds * 1000) * 1_000_000));
}

/** The canonical bytes of a `Platform`. */
export function encodePlatform(platform: Platform): Uint8Array {
  return encodeMessage(() => writePlatform(platform));
}

/**
 * The canonical bytes of a `Command`: variables sorted by name, output paths sorted and each once, arguments as given.
 * @throws {CuenvError} REAPI_MESSAGE_INVALID when a variable is there twice, or a text is not Unicode.
 */
export function encodeCommand(command: Command): Uint8Array {
  return encodeMessage(() => {
    for (const argument of command.arguments) writeStringItem(1, argument);
    const variables = sortUnique(command.environmentVariables, (pair) => pair.name, "environment");
    for (const variable of variables) writeMessage(2, variable, writeNameValue);
    writeString(6, command.workingDirectory);
    for (const path of sortAndDeduplicate(command.outputPaths)) writeStringItem(7, path);
  });
}

/** The canonical bytes of an `Action`. Its digest is the key. */
export function encodeAction(action: Action): Uint8Array {
  return encodeMessage(() => {
    writeMessage(1, action.commandDigest, writeDigest);
    writeMessage(2, action.inputRootDigest, writeDigest);
    if (action.timeoutMs !== undefined) writeMessage(6, action.timeoutMs, writeDuration);
    writeBoolean(7, action.doNotCache);
    writeBytes(9, action.salt);
    writeMessage(10, action.platform, writePlatform);
  });
}
