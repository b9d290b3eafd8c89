import { mkdirSync, writeFileSync } from "node:fs";
import { inCurrency } from "prices";

const items = { apples: 2.5, pears: 3, plums: 4.2 };
const { CURRENCY = "EUR" } = process.env;
const lines = Object.entries(items).map(
  ([name, euros]) => `${name} ${inCurrency(euros, CURRENCY)} ${CURRENCY}`,
);
mkdirSync("dist", { recursive: true });
writeFileSync("dist/list.txt", `${lines.join("\n")}\n`);
console.log(`built a list in ${CURRENCY}`);
