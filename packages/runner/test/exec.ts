import { runAttached } from "../src/index.ts";

// As `cuenv exec -- argv`.
const environment = Object.fromEntries(
  Object.entries(process.env).map(([name, value]) => [name, value ?? ""]),
);
const outcome = await runAttached({
  argv: process.argv.slice(2),
  cwd: process.cwd(),
  env: environment,
});
process.exitCode = outcome.exitCode;
