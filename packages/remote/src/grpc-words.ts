import { setLogger } from "@grpc/grpc-js";
import process from "node:process";

/** What asks grpc-js to tell its own story: then it does, as ever. */
const wordy = ["GRPC_VERBOSITY", "GRPC_NODE_VERBOSITY", "GRPC_TRACE", "GRPC_NODE_TRACE"];

let isSet = false;
let proxyWord: string | undefined;

/** grpc-js prints what goes wrong, once for each attempt, beside the one warning that there is to be. Of a proxy that does not do, nothing else says. */
export function quietGrpc(): void {
  if (isSet || wordy.some((name) => process.env[name])) return;
  isSet = true;
  const error = (word: unknown): void => {
    if (/proxy/i.test(String(word))) proxyWord = String(word);
  };
  setLogger({ error, info: () => undefined, debug: () => undefined });
}

/** What it said last of the proxy. */
export function proxyTrouble(): string | undefined {
  return proxyWord;
}
