import type { CacheEvent } from "./cache-event.ts";
import type { RemoteOptions } from "./remote-tier.ts";

/** Once for people, whatever it is and however often: what a remote cache does wrong costs nobody a build. */
export function remoteTrouble(
  { name }: Pick<RemoteOptions, "name">,
  error: unknown,
): CacheEvent & { readonly type: "trouble" } {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    type: "trouble",
    task: undefined,
    cause: "remote",
    message: `the build goes on without the remote cache ${name}: ${reason}`,
  };
}
