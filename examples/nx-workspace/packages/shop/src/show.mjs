import { readFileSync } from "node:fs";

const lines = readFileSync("dist/list.txt", "utf8").split("\n");
console.log(lines[Number(process.argv[2]) - 1]);
