import { type ChaosProxy, startChaosProxy as start } from "../../../tools/chaos-proxy.mjs";

export type { ChaosProxy } from "../../../tools/chaos-proxy.mjs";

/** `tools/chaos-proxy.mjs` before this address, in this process. */
export async function startChaosProxy(address: string): Promise<ChaosProxy> {
  const [host = "", port = ""] = address.split(":");
  return start({ host, port: Number(port) });
}
