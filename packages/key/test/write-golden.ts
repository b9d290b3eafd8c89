// Writes the expectations of src/golden/*.json anew: `node --conditions=@cuenv/source packages/key/test/write-golden.ts`.
// Whoever runs it moves the keys of all users, so it goes with a higher `keySchema` (build-action.ts).
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ActionRequest, buildAction } from "../src/index.ts";

const folder = join(import.meta.dirname, "../src/golden");
for (const name of readdirSync(folder)) {
  const path = join(folder, name);
  const { request } = JSON.parse(readFileSync(path, "utf8")) as { request: ActionRequest };
  const { digest, action, command, inputRoot } = buildAction(request);
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  const expected = { digest, inputRoot, command: hex(command), action: hex(action) };
  writeFileSync(path, `${JSON.stringify({ request, expected }, undefined, 2)}\n`);
}
