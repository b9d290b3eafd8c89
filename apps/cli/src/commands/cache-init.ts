import { findProjectDirectory, userConfigDirectory } from "@cuenv/config";
import { settingsTemplate, type TemplateFormat } from "@cuenv/config/schema";
import { CuenvError } from "@cuenv/errors";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import type { Invocation } from "../command-line/command.ts";
import { chosenPackage, flagText } from "../command-line/given.ts";
import { formatLocation } from "../report/report-error.ts";
import { printErr, printOut } from "../report/terminal.ts";

interface Target {
  /** Absolute. */
  readonly file: string;
  readonly format: TemplateFormat;
  readonly from: "project" | "user";
}

const formats: readonly string[] = ["yaml", "json", "cue"] satisfies readonly TemplateFormat[];

/** `cuenv cache init`: a settings file with every setting in it, none of them set. */
export async function runCacheInit(invocation: Invocation): Promise<number> {
  const target = chooseTarget(invocation);
  refuseBesideOthers(target);
  const packageName = target.format === "cue" ? await packageAround(invocation) : undefined;
  const { file, format, from } = target;
  const text = settingsTemplate({
    format,
    from,
    ...(packageName === undefined ? {} : { packageName }),
  });
  const written = invocation.flags["dry-run"] !== true;
  if (written) writeNew(file, text);
  if (invocation.flags["json"] === true)
    printOut(`${JSON.stringify({ version: 1, file, format, written, text })}\n`);
  else printOut(written ? `Wrote ${formatLocation({ file })}\n` : text);
  if (!isRead(target)) {
    const names = "cuenv.cache.json or .yaml in a project, config.json or .yaml for a user";
    printErr(`warning: cuenv does not read a file of this name by itself: it reads ${names}\n`);
  }
  return 0;
}

function chooseTarget(invocation: Invocation): Target {
  const wanted = flagText(invocation, "format");
  if (wanted !== undefined && !formats.includes(wanted))
    throw usage(`--format ${wanted}`, "it is none of yaml, json, cue");
  const isUsers = invocation.flags["user"] === true;
  const userFolder = userConfigDirectory(process.env);
  const given = flagText(invocation, "config-file");
  if (given !== undefined) {
    const file = resolve(given.replace(/^~(?=\/)/, process.env["HOME"] ?? "~"));
    const format = formatOf(file);
    if (format === undefined)
      throw usage(
        `--config-file ${given}`,
        "its name does not end with .yaml, .yml, .json or .cue",
      );
    if (wanted !== undefined && wanted !== format)
      throw usage(`--format ${wanted}`, `--config-file names a ${format} file`);
    const from = isUsers || dirname(file) === userFolder ? "user" : "project";
    if (format === "cue" && from === "user") throw usage("cue", "a user's settings are not in CUE");
    return { file, format, from };
  }
  const format = (wanted ?? "yaml") as TemplateFormat;
  if (isUsers) {
    if (format === "cue") throw usage("--format cue", "a user's settings are not in CUE");
    return { file: join(userFolder, `config.${format}`), format, from: "user" };
  }
  const folder =
    findProjectDirectory(process.cwd(), { package: chosenPackage(invocation) }) ?? process.cwd();
  const name = format === "cue" ? "cache.cue" : `cuenv.cache.${format}`;
  return { file: join(folder, name), format, from: "project" };
}

function formatOf(file: string): TemplateFormat | undefined {
  const extension = extname(file);
  if (extension === ".yml") return "yaml";
  return formats.find((format) => extension === `.${format}`) as TemplateFormat | undefined;
}

function usage(what: string, reason: string): CuenvError {
  return new CuenvError("USAGE", `cannot use ${what}: ${reason}`, {
    hint: "See cuenv cache init --help.",
  });
}

/** Two settings files in one folder are an error of every run. */
function refuseBesideOthers({ file, format }: Target): void {
  const stem = basename(file).replace(/\.(?:json|ya?ml|cue)$/, "");
  const names =
    format === "cue" ? [basename(file)] : ["json", "yaml", "yml"].map((end) => `${stem}.${end}`);
  const present = names.map((name) => join(dirname(file), name)).find((path) => existsSync(path));
  if (present !== undefined) throw alreadyThere(present);
}

function alreadyThere(file: string): CuenvError {
  const hint = "edit that file, or take it away first; cuenv cache migrate rewrites older forms";
  return new CuenvError(
    "CONFIG_FILE_EXISTS",
    `cannot write settings: ${formatLocation({ file })} is there already`,
    {
      hint,
      location: { file },
    },
  );
}

/** @throws {CuenvError} CONFIG_FILE_EXISTS also when somebody made the file just now */
function writeNew(file: string, text: string): void {
  try {
    makeFolder(dirname(file));
    writeFileSync(file, text, { flag: "wx" });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    if (code === "EEXIST" && existsSync(file)) throw alreadyThere(file);
    throw new CuenvError("CONFIG_FILE", `cannot write ${file}: ${code}`, {
      cause,
      location: { file },
    });
  }
}

/** Not `recursive`: Node never returns from that below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** Files of one package are one configuration, so a file beside env.cue needs its package clause. */
async function packageAround(invocation: Invocation): Promise<string> {
  const packageName = chosenPackage(invocation);
  const directory = findProjectDirectory(process.cwd(), { package: packageName });
  if (directory === undefined) {
    throw new CuenvError("PROJECT_NOT_FOUND", "cannot write cache.cue: there is no env.cue here", {
      hint: "cuenv cache init writes cuenv.cache.yaml, which needs none",
    });
  }
  const { evaluate, disposeEvaluator } = await import("@cuenv/cue");
  try {
    const evaluated = await evaluate({ directory, packageName });
    if (evaluated.packageName !== "_") return evaluated.packageName;
  } finally {
    await disposeEvaluator();
  }
  const reason = "env.cue has no package clause, so no other file can belong to it";
  throw new CuenvError("USAGE", `cannot write cache.cue: ${reason}`, {
    hint: "write `package cuenv` at its top, or leave --format cue out",
    location: { file: join(directory, "env.cue") },
  });
}

function isRead({ file, format, from }: Target): boolean {
  const stem = basename(file, extname(file));
  if (format === "cue") return true;
  return from === "user"
    ? stem === "config" && dirname(file) === userConfigDirectory(process.env)
    : stem === "cuenv.cache";
}
