// Writes report/size.json: how large each bundle is, as it is and as a browser would get it. Fails above the budget.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const budgetBytes = 120_000;
const report = readdirSync("bundle")
  .toSorted()
  .map((file) => {
    const bytes = readFileSync(`bundle/${file}`);
    return { file, bytes: bytes.length, gzippedBytes: gzipSync(bytes).length };
  });
mkdirSync("report", { recursive: true });
writeFileSync("report/size.json", `${JSON.stringify(report, undefined, 2)}\n`);
for (const { file, bytes, gzippedBytes } of report) {
  console.log(`${file.padEnd(12)} ${bytes} bytes, ${gzippedBytes} gzipped`);
  if (gzippedBytes > budgetBytes) {
    console.error(`${file} is above its budget of ${budgetBytes} bytes`);
    process.exitCode = 1;
  }
}
