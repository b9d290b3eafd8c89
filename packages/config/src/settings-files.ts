import { type Stats, readFileSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { CuenvError, type Location, nearName } from "@cuenv/errors";
import { isDataObject, kindOf, ownField } from "./evaluated-package.ts";
import { jsonProblem, locateJson } from "./json-document.ts";
import { inspectCacheSettings, type InspectedCacheSettings } from "./parse-cache-settings.ts";
import { createProblems, type Warning } from "./problems.ts";
import { homeOf, type SettingsFile } from "./resolve-cache-settings.ts";
import { bothSpellings, settingFields, settingTable } from "./setting-table.ts";
import { readTrustSettings, type TrustSettingsInput } from "./read-trust-settings.ts";

export interface LoadOptions {
  /** Absolute. */
  readonly projectDirectory: string;
  /** Absolute; its `cuenv.cache.*` holds for all projects below, each of which may set fields of its own. */
  readonly workspaceRoot: string;
  /** For `$XDG_CONFIG_HOME` and `$HOME`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told what would be thrown otherwise; then the file, or the part of it, is left out. */
  readonly onError?: ((error: CuenvError) => void) | undefined;
}

export interface LoadedSettings {
  /** The strongest first: the project's, the workspace's, the user's. */
  readonly files: readonly SettingsFile[];
  readonly warnings: readonly Warning[];
  /** What the user's file says below `trust`, as it stands; a workspace has no say in that. */
  readonly trust: TrustSettingsInput;
}

/** More than any settings file has; a larger one is a mistake, and is not read into memory. */
const maximumBytes = 1024 * 1024;
const extensions = ["json", "yaml", "yml"] as const;

/** The folder of the user's configuration: `$XDG_CONFIG_HOME/cuenv`, else `~/.config/cuenv`. */
export function userConfigDirectory(environment: LoadOptions["environment"]): string {
  const base = environment["XDG_CONFIG_HOME"];
  if (base !== undefined && isAbsolute(base)) return join(base, "cuenv");
  return join(homeOf(environment), ".config", "cuenv");
}

/**
 * Reads the settings files that exist: `cuenv.cache.json|yaml|yml` of the project and of the workspace root, and the
 * user's `config.json|yaml|yml`, of which `cache` and `trust` are looked at.
 * @throws {CuenvError} CONFIG_FILE for one that cannot be read, and as parseCacheSettings
 */
export async function loadSettingsFiles(options: LoadOptions): Promise<LoadedSettings> {
  const { projectDirectory, workspaceRoot, environment } = options;
  const folders = [...new Set([projectDirectory, workspaceRoot])];
  const files: SettingsFile[] = [];
  const warnings: Warning[] = [];
  for (const folder of folders)
    await attempt(async () => {
      const document = await readDocument(folder, "cuenv.cache");
      if (document !== undefined) add("project", document, document.value, "");
    });
  let trust: TrustSettingsInput = {};
  await attempt(async () => {
    const user = await readDocument(userConfigDirectory(environment), "config");
    if (user === undefined) return;
    warnings.push(...misplacedSettings(user));
    await attempt(() => add("user", user, userCache(user), "/cache"));
    trust = userTrust(user);
  });
  return { files, warnings, trust };

  async function attempt(read: () => void | Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      if (options.onError === undefined || !(error instanceof CuenvError)) throw error;
      options.onError(error);
    }
  }

  function add(
    source: SettingsFile["source"],
    document: SettingsDocument,
    data: unknown,
    pointer: string,
  ): void {
    const { path, positions } = document;
    const { settings, error, warnings: noted } = parseLocated(document, data, pointer, source);
    warnings.push(...noted);
    if (error !== undefined) throw error;
    files.push({ source, path, settings, positions, pointer });
  }
}

interface SettingsDocument {
  readonly path: string;
  readonly value: unknown;
  /** Made when asked for: only complaints need it. */
  readonly positions: () => Readonly<Record<string, Location>>;
}

function parseLocated(
  { path, positions }: SettingsDocument,
  data: unknown,
  pointer: string,
  from: SettingsFile["source"],
): InspectedCacheSettings {
  // An unknown name is no reason to stop: the file may be for several versions of cuenv (decision 0091).
  const place = { what: path, pointer, location: { file: path }, from, unknown: "warn" } as const;
  const inspected = inspectCacheSettings(data, place);
  if (inspected.error === undefined && inspected.warnings.length === 0) return inspected;
  return inspectCacheSettings(data, { ...place, positions: positions() });
}

function userTrust({ path, value, positions }: SettingsDocument): TrustSettingsInput {
  const data = isDataObject(value) ? ownField(value, "trust") : undefined;
  if (data === undefined || data === null) return {};
  const place = { positions: positions(), fallback: { file: path } };
  return readTrustSettings(data, path, place);
}

/** The user's file has fields for other purposes beside `cache` and `trust`, so only a near miss of them can be told to be a mistake. */
function userCache({ path, value, positions }: SettingsDocument): unknown {
  if (value === null || value === undefined) return undefined;
  if (!isDataObject(value))
    throw new CuenvError(
      "CONFIG_TYPE",
      `cannot read ${path}: it must hold a struct, not ${kindOf(value)}`,
      { location: { file: path } },
    );
  for (const field of Object.keys(value)) {
    const near = nearName(field, ["cache", "trust"]);
    if (field === "cache" || field === "trust" || near === undefined) continue;
    const location = positions()[`/${field}`] ?? { file: path };
    throw new CuenvError(
      "CONFIG_UNKNOWN_FIELD",
      `cannot read ${path}: \`${field}\` is not a field of it`,
      { hint: `did you mean \`${near}\`?`, location },
    );
  }
  return ownField(value, "cache");
}

/** Settings that stand where a project's file has them. Something else may be meant by such a name, so that it is no error. */
function misplacedSettings({ path, value, positions }: SettingsDocument): readonly Warning[] {
  if (!isDataObject(value)) return [];
  const names = new Set(
    settingFields.flatMap((field) => bothSpellings(settingTable[field].path[0])),
  );
  const fields = Object.keys(value).filter(
    (field) => names.has(field) && (ownField(value, field) ?? undefined) !== undefined,
  );
  if (fields.length === 0) return [];
  const problems = createProblems({ positions: positions(), fallback: { file: path } });
  const suggestion = "write it below `cache`";
  for (const field of fields) {
    const message = `\`${field}\` in ${path} has no effect there: ${suggestion}`;
    problems.warn(field, `/${field}`, message, "cache", { suggestion, kind: "unknown" });
  }
  return problems.warnings;
}

/** Every path that {@link loadSettingsFiles} looks at, whether there is a file or not. */
export function settingsPaths(options: Omit<LoadOptions, "onError">): readonly string[] {
  const { projectDirectory, workspaceRoot, environment } = options;
  const places = [
    ...[...new Set([projectDirectory, workspaceRoot])].map((folder) => [folder, "cuenv.cache"]),
    [userConfigDirectory(environment), "config"],
  ] as const;
  return places.flatMap(([folder = "", name]) =>
    extensions.map((extension) => join(folder, `${name}.${extension}`)),
  );
}

async function readDocument(folder: string, name: string): Promise<SettingsDocument | undefined> {
  const found: { path: string; text: string; extension: (typeof extensions)[number] }[] = [];
  for (const extension of extensions) {
    const path = join(folder, `${name}.${extension}`);
    const text = readText(path);
    if (text !== undefined) found.push({ path, text, extension });
  }
  const [first, second] = found;
  if (first === undefined) return undefined;
  if (second !== undefined)
    throw new CuenvError(
      "CONFIG_FILE",
      `cannot choose between ${first.path} and ${second.path}: both exist`,
      { hint: "keep one of the two", location: { file: second.path } },
    );
  return first.extension === "json"
    ? parseJson(first.path, first.text)
    : parseYaml(first.path, first.text);
}

function parseJson(path: string, text: string): SettingsDocument {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    const problem = jsonProblem(text, path);
    if (problem !== undefined)
      throw new CuenvError("CONFIG_FILE", `cannot read ${path}: ${problem.reason}`, {
        location: problem.location,
      });
    return {
      path,
      value,
      positions() {
        const document = locateJson(text, path);
        return document.ok ? document.positions : {};
      },
    };
  } catch (cause) {
    if (cause instanceof CuenvError) throw cause;
    const document = locateJson(text, path);
    const reason = document.ok ? "it is not JSON" : document.reason;
    throw new CuenvError("CONFIG_FILE", `cannot read ${path}: ${reason}`, {
      cause,
      location: document.ok ? { file: path } : document.location,
    });
  }
}

async function parseYaml(path: string, text: string): Promise<SettingsDocument> {
  const { readYaml } = await import("./yaml-document.ts");
  const document = readYaml(text, path);
  if (document.ok) return { path, value: document.value, positions: () => document.positions };
  const { reason, location } = document;
  throw new CuenvError("CONFIG_FILE", `cannot read ${path}: ${reason}`, { location });
}

/** Undefined where there is no such file, or where the folder is closed to us: then it is not our configuration. */
function readText(path: string): string | undefined {
  const cannot = (reason: string, cause?: unknown): CuenvError =>
    new CuenvError("CONFIG_FILE", `cannot read ${path}: ${reason}`, {
      cause,
      location: { file: path },
    });
  let stats: Stats | undefined;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
  if (stats === undefined) return undefined;
  // Reading a FIFO would wait for a writer.
  if (!stats.isFile()) throw cannot("it is not a regular file");
  if (stats.size > maximumBytes)
    throw cannot(`it has ${stats.size} bytes, and a settings file at most ${maximumBytes}`);
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw cannot((cause as NodeJS.ErrnoException).code ?? String(cause), cause);
  }
}
