#!/usr/bin/env node
// What node_modules/.bin/cuenv runs in the working tree: the bundle, made anew when a source is newer than it.
// The published package has bin/cuenv.js in its place.
import { ensureBuilt } from "../../../tools/build-cli.mjs";

await ensureBuilt();
await import("./cuenv.js");
