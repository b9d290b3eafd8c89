import { compareUtf8, type Digest, type DigestFunction, hashBytes } from "@cuenv/digest";
import { encodeAction, encodeCommand, type NameValue } from "@cuenv/reapi";
import { type InputSet, inputSetOf } from "./input-set.ts";
import type { DeclaredInputs, InputNode, KeyInputs, KeyVariable } from "./key-inputs.ts";

/**
 * The version of what a key is made of. Raise it whenever the same task could get another key, or, worse,
 * another task the same: the golden vectors fail when that was forgotten.
 */
export const keySchema = 1;

/** Everything that a key depends on, resolved. */
export interface ActionRequest {
  readonly digestFunction: DigestFunction;
  /** The task's full name: for `KeyInputs`; in the key only beside a `cacheKey`. */
  readonly task: string;
  /** The resolved argv: a shell's with its script, and the arguments of the command line. */
  readonly command: readonly string[];
  /** As `normalizeWorkingDirectory` gives it. */
  readonly workingDirectory: string;
  /** As `filterEnvironmentVariables` gives them. */
  readonly variables: readonly KeyVariable[];
  /** Declared outputs, as `resolvePatterns` gives them. */
  readonly outputs: readonly string[];
  /** Input files, those of dependencies among them: a set, or nodes in any order. */
  readonly inputs: InputSet | readonly InputNode[];
  /** Path → task, for nodes that are outputs of a dependency; a set has its own. Not in the key. */
  readonly producers?: Readonly<Record<string, string>> | undefined;
  /** Dependencies that declare no outputs, with their keys. */
  readonly dependencies?: readonly { readonly task: string; readonly key: string }[] | undefined;
  /** The `runtime` commands and what they printed. */
  readonly tools?: readonly { readonly command: string; readonly output: string }[] | undefined;
  /** Default: this machine's. */
  readonly platform?: { readonly os: string; readonly arch: string } | undefined;
  /** Replaces the input files in the key, and nothing else. */
  readonly cacheKey?: string | undefined;
  readonly customKeyComponents?: Readonly<Record<string, string>> | undefined;
  /** Default "strict". */
  readonly environmentMode?: "strict" | "loose" | undefined;
  readonly keyEpoch: number;
  readonly namespace: string;
  readonly timeoutMs?: number | undefined;
  /** For `KeyInputs`; not in the key. */
  readonly declaredInputs?: DeclaredInputs | undefined;
}

export interface Blob {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export interface BuiltAction {
  /** The digest of the Action: the key. */
  readonly digest: Digest;
  readonly action: Uint8Array;
  readonly command: Uint8Array;
  readonly commandDigest: Digest;
  readonly inputRoot: Digest;
  /** The readable pre-image; made when it is asked for. */
  readonly keyInputs: () => KeyInputs;
  /** The Action, the Command and the Directory messages, as a CAS wants them before the result; made when asked for. */
  readonly blobs: () => readonly Blob[];
}

/**
 * The REAPI Action of a task. Pure: the same request gives the same bytes in every process and on every machine.
 *
 * @throws {CuenvError} REAPI_MESSAGE_INVALID when a variable or a path is there twice, or a text is not Unicode
 */
export function buildAction(request: ActionRequest): BuiltAction {
  const hash = (bytes: Uint8Array): Digest => hashBytes(request.digestFunction, bytes);
  const inputs = inputsOf(request);
  const command = encodeCommand({
    arguments: request.command,
    environmentVariables: request.variables.filter((variable) => "value" in variable),
    workingDirectory: request.workingDirectory,
    outputPaths: request.outputs,
  });
  const commandDigest = hash(command);
  const action = encodeAction({
    commandDigest,
    inputRootDigest: inputs.root,
    timeoutMs: request.timeoutMs,
    doNotCache: false,
    salt: encodeSalt(request),
    platform: { properties: platformProperties(request) },
  });
  const digest = hash(action);
  return {
    digest,
    action,
    command,
    commandDigest,
    inputRoot: inputs.root,
    keyInputs: () => toKeyInputs(request, inputs),
    blobs: () => [
      ...inputs.tree().blobs.values(),
      { digest: commandDigest, bytes: command },
      { digest, bytes: action },
    ],
  };
}

function inputsOf(request: ActionRequest): InputSet {
  const { inputs, producers, digestFunction } = request;
  if (request.cacheKey !== undefined) return inputSetOf([], {}, digestFunction);
  return "root" in inputs ? inputs : inputSetOf(inputs, producers ?? {}, digestFunction);
}

/** The digest of {@link buildAction}, alone. */
export function generateActionDigest(request: ActionRequest): Digest {
  return buildAction(request).digest;
}

/** The names that REAPI's platform lexicon gives, where it has one. */
const osFamilies: Readonly<Record<string, string>> = { darwin: "macos", win32: "windows" };
const instructionSets: Readonly<Record<string, string>> = { x64: "x86-64", arm64: "arm-a64" };

export function hostPlatform(): { readonly os: string; readonly arch: string } {
  return {
    os: osFamilies[process.platform] ?? process.platform,
    arch: instructionSets[process.arch] ?? process.arch,
  };
}

function platformProperties(request: ActionRequest): NameValue[] {
  const { os, arch } = request.platform ?? hostPlatform();
  const tools = (request.tools ?? []).map(({ command, output }) => ({
    name: `cuenv-runtime:${command}`,
    value: output,
  }));
  return [{ name: "OSFamily", value: os }, { name: "ISA", value: arch }, ...tools];
}

/**
 * What a key depends on and REAPI has no field for, as one JSON array without blanks: its strings are quoted, so no two
 * different requests give the same text.
 */
function encodeSalt(request: ActionRequest): Uint8Array {
  const dependencyKeys = (request.dependencies ?? []).map(({ key }) => key);
  const secrets = request.variables.flatMap((variable) =>
    "hmac" in variable ? [[variable.name, variable.hmac] as const] : [],
  );
  const salt = [
    "cuenv-key",
    keySchema,
    request.keyEpoch,
    request.namespace,
    // With the task: two tasks that share a command and a cacheKey have nothing else left to tell them apart.
    request.cacheKey === undefined ? null : [request.task, request.cacheKey],
    sortPairs(Object.entries(request.customKeyComponents ?? {})),
    [...new Set(dependencyKeys)].toSorted(compareUtf8),
    sortPairs(secrets),
    // What was made in sight of variables that no key has is for those who asked for that. Strict keys are what they were before this was in them.
    ...(isLoose(request) ? ["loose"] : []),
  ];
  return Buffer.from(JSON.stringify(salt));
}

function isLoose({ environmentMode }: ActionRequest): boolean {
  return environmentMode === "loose";
}

type Pair = readonly [name: string, value: string];

function sortPairs(pairs: readonly Pair[]): readonly Pair[] {
  return pairs.toSorted((left, right) => compareUtf8(left[0], right[0]));
}

function toKeyInputs(request: ActionRequest, inputs: InputSet): KeyInputs {
  return {
    version: 1,
    digestFunction: request.digestFunction,
    task: request.task,
    command: request.command,
    workingDirectory: request.workingDirectory,
    variables: sortBy(request.variables, (variable) => variable.name),
    outputs: [...new Set(request.outputs)].toSorted(compareUtf8),
    inputs: sortBy(inputs.nodes(), (node) => node.path),
    inputRoot: inputs.root,
    dependencies: sortBy(request.dependencies ?? [], (dependency) => dependency.task),
    producers: inputs.producers(),
    tools: sortBy(request.tools ?? [], (tool) => tool.command),
    platform: request.platform ?? hostPlatform(),
    cacheKey: request.cacheKey,
    customComponents: sortBy(
      Object.entries(request.customKeyComponents ?? {}).map(([name, value]) => ({ name, value })),
      (component) => component.name,
    ),
    ...(isLoose(request) ? { environmentMode: "loose" } : {}),
    keyEpoch: request.keyEpoch,
    keySchema,
    namespace: request.namespace,
    timeoutMs: request.timeoutMs,
    ...(request.declaredInputs === undefined ? {} : { declaredInputs: request.declaredInputs }),
  };
}

function sortBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  return items.toSorted((left, right) => compareUtf8(keyOf(left), keyOf(right)));
}
