import { readFileSync } from "node:fs";
import { createServer } from "node:http";

createServer((_, response) => response.end(readFileSync("dist/list.txt"))).listen(
  Number(process.env.PORT ?? 8080),
  "127.0.0.1",
);
