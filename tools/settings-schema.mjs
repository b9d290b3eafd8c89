// Writes packages/config/schema/*.schema.json, which editors use, from the table of settings (packages/config/src/setting-table.ts).
// A test of the package holds the files to it: `node tools/settings-schema.mjs --write` after a change.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./workspace.mjs";

const { projectSettingsSchema, userSettingsSchema } = await import(
  join(root, "packages", "config", "src", "settings-schema.ts")
);
const folder = join(root, "packages", "config", "schema");
const files = {
  "cuenv.cache.schema.json": projectSettingsSchema(),
  "config.schema.json": userSettingsSchema(),
};
for (const [name, schema] of Object.entries(files)) {
  const text = `${JSON.stringify(schema, undefined, 2)}\n`;
  if (!process.argv.includes("--write")) process.stdout.write(text);
  else {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
