import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const rates = JSON.parse(readFileSync("rates.json", "utf8"));
mkdirSync("generated", { recursive: true });
writeFileSync("generated/rates.mjs", `export const rates = ${JSON.stringify(rates)};\n`);
