import { createHostFunctions } from "./src/host-functions.ts";
import { createWasiShim } from "./src/wasi-shim.ts";
import { readNumber, sectionIds, sectionsOf } from "./src/wasm-binary.ts";

/**
 * The module as it is after it was started and has evaluated something small: what Go's runtime and CUE's packages do once in a
 * process (60 ms) is done, and its result is what the memory and the globals begin with. Nothing is left of the machine
 * that did it: the clock counts its own calls, and random numbers are the same in every build.
 *
 * The module is one of Go's `-buildmode=c-shared` for wasip1: one memory, globals of its own, data without passive segments, `_initialize` exported,
 * which must not be called again and is exported no more.
 * @param {Uint8Array} module @returns {Uint8Array}
 */
export function preinitialised(module) {
  assertPlain(module);
  const started = start(withGlobalsExported(module));
  const memory = new Uint8Array(started.memory.buffer);
  const globals = globalTypes(module).map((_, index) => started[globalName(index)].value);
  return rebuilt(module, (id, body) => {
    switch (id) {
      case sectionIds.memory:
        return memorySection(memory.length / pageBytes);
      case sectionIds.global:
        return globalSection(globalTypes(module), globals);
      case sectionIds.export:
        return exportSection(exportsOf(body).filter(({ name }) => name !== "_initialize"));
      case sectionIds.data:
        return dataSection(memory);
      case sectionIds.start:
        throw new Error("the module starts itself: what it does would be done twice");
      default:
        return body;
    }
  });
}

/** What would be written wrongly. A memory or global that is imported shifts the indices of the others; Go's modules import functions alone. */
function assertPlain(module) {
  const others = WebAssembly.Module.imports(new WebAssembly.Module(module)).filter(
    ({ kind }) => kind !== "function",
  );
  if (others.length > 0) throw new Error(`the module imports a ${others[0].kind}`);
  if (sectionsOf(module).some(({ id }) => id === sectionIds.dataCount))
    throw new Error("the module may have passive segments of data");
}

const pageBytes = 65_536;
const i32 = 0x7f;
const i64 = 0x7e;
const constantOf = { [i32]: 0x41, [i64]: 0x42 };
const end = 0x0b;
const globalKind = 3;
const globalName = (index) => `global ${index}`;

function withGlobalsExported(module) {
  const globals = globalTypes(module).map((_, index) => ({
    name: globalName(index),
    kind: globalKind,
    index,
  }));
  return rebuilt(module, (id, body) =>
    id === sectionIds.export ? exportSection([...exportsOf(body), ...globals]) : body,
  );
}

function start(module) {
  let exports;
  const memory = () => exports.memory;
  // Go reads GOGC here, once and for good: far below its ceiling the collector need not work (go/main.go). Where the module runs it sees no environment.
  const wasi = createWasiShim(memory, {
    environment: ["GOGC=800"],
    clock: countingClock(),
    fillRandom: countingBytes(),
  });
  const host = createHostFunctions(memory, () => warmUpFiles);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module), {
    wasi_snapshot_preview1: wasi.imports,
    cuenv: host.imports,
  });
  exports = instance.exports;
  try {
    exports._initialize();
    return warmedUp(exports, host);
  } catch (error) {
    throw new Error(`the module does not start: ${error.message}\n${wasi.diagnostics()}`, {
      cause: error,
    });
  }
}

function warmedUp(exports, host) {
  const request = new TextEncoder().encode(JSON.stringify(warmUpRequest));
  new Uint8Array(exports.memory.buffer).set(request, exports.allocate(request.length));
  exports.evaluate();
  const answer = JSON.parse(host.takeAnswer());
  if (answer.value?.tasks?.build?.command !== "sh")
    throw new Error(`what was evaluated to warm up failed: ${JSON.stringify(answer)}`);
  return exports;
}

/** Nanoseconds that pass because somebody asks. */
function countingClock() {
  let now = 0n;
  return () => (now += 1n);
}

function countingBytes() {
  let next = 0;
  return (bytes) => {
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = next++ * 151;
  };
}

// Small, and with a bit of everything: packages, imports of schemas and of CUE's own, definitions, references, lists.
const warmUpFile = "/project/env.cue";
const warmUpText = `package env

import "strings"

let name = strings.ToLower("SH")
_common: {inputs: [...string] | *["src/**"], cache: bool | *true}
#Own: {command: string, args?: [...string], ...}
env: {NAME: "value", DEBUG?: "1"}
tasks: {
	build: _common & #Own & {command: name, args: ["-c", "echo \\(env.NAME)"], outputs: ["dist"]}
	test: {command: "echo", args: ["x"], dependsOn: [build]}
	for index in [1, 2] {"many-\\(index)": {script: """
		echo \\(index)
		"""}}
}
`;
const warmUpRequest = {
  directory: "/project",
  root: "/project",
  package: "",
  schema: {
    "base/file.cue": `package base

#Task: {command?: string | #Command, script?: string, args?: [...string], inputs?: [...string], outputs?: [...string], cache?: bool | {...}, dependsOn?: [...], stdout?: _}
#Command: {command: string}
#File: {env?: [string]: string, tasks?: [string]: #Task}
`,
  },
  validate: true,
  outputBytes: 1_000_000,
  memoryBytes: 512 * 1024 * 1024,
};
const warmUpFiles = {
  stat: (path) => (path === warmUpFile ? 1 : path === "/project" ? 2 : -1),
  read: (path) => (path === warmUpFile ? new TextEncoder().encode(warmUpText) : -1),
  list: (path) => (path === "/project" ? new TextEncoder().encode("f env.cue\n") : -1),
};

/** Every section's content replaced by what `bodyFor(id, body)` gives. */
function rebuilt(module, bodyFor) {
  const parts = [module.subarray(0, 8)];
  for (const { id, bodyStart, end: bodyEnd } of sectionsOf(module)) {
    const body = bodyFor(id, module.subarray(bodyStart, bodyEnd));
    parts.push(Uint8Array.of(id), number(body.length), body);
  }
  return Buffer.concat(parts);
}

/** The types of the globals, all of which are numbers of the module's own. */
function globalTypes(module) {
  const section = sectionsOf(module).find(({ id }) => id === sectionIds.global);
  const count = readNumber(module, section.bodyStart);
  const types = [];
  let at = count.next;
  for (let index = 0; index < count.value; index += 1) {
    const type = module[at];
    // Type, whether it changes, and an expression of one constant.
    if (constantOf[type] === undefined || module[at + 2] !== constantOf[type])
      throw new Error(`global ${index} is not a number`);
    types.push(type);
    at = readNumber(module, at + 3).next;
    if (module[at++] !== end) throw new Error(`global ${index} does not begin with a constant`);
  }
  return types;
}

function exportsOf(body) {
  const count = readNumber(body, 0);
  let at = count.next;
  return Array.from({ length: count.value }, () => {
    const size = readNumber(body, at);
    const nameEnd = size.next + size.value;
    const name = Buffer.from(body.subarray(size.next, nameEnd)).toString();
    const index = readNumber(body, nameEnd + 1);
    at = index.next;
    return { name, kind: body[nameEnd], index: index.value };
  });
}

const exportSection = (list) =>
  Buffer.concat([
    number(list.length),
    ...list.flatMap(({ name, kind, index }) => [
      number(Buffer.byteLength(name)),
      Buffer.from(name),
      Uint8Array.of(kind),
      number(index),
    ]),
  ]);

const memorySection = (pages) => Buffer.concat([Uint8Array.of(1, 0), number(pages)]);

const globalSection = (types, values) =>
  Buffer.concat([
    number(types.length),
    ...types.flatMap((type, index) => [
      Uint8Array.of(type, 1, constantOf[type]),
      signedNumber(BigInt(values[index])),
      Uint8Array.of(end),
    ]),
  ]);

/** A segment for each stretch that is not zero; a gap must be longer than what one more segment costs to copy. */
function dataSection(memory) {
  const words = new BigUint64Array(memory.buffer);
  const gapWords = 512;
  const segments = [];
  for (let word = 0; word < words.length; word += 1) {
    if (words[word] === 0n) continue;
    const last = segments.at(-1);
    if (last !== undefined && word - last.end <= gapWords) last.end = word + 1;
    else segments.push({ start: word, end: word + 1 });
  }
  return Buffer.concat([
    number(segments.length),
    ...segments.flatMap((segment) => [
      // Active, in memory 0, at a constant.
      Uint8Array.of(0, constantOf[i32]),
      signedNumber(BigInt(segment.start * 8)),
      Uint8Array.of(end),
      number((segment.end - segment.start) * 8),
      memory.subarray(segment.start * 8, segment.end * 8),
    ]),
  ]);
}

/** Unsigned LEB128. */
function number(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

/** Signed LEB128. @param {bigint} value */
function signedNumber(value) {
  const bytes = [];
  for (let rest = value; ; rest >>= 7n) {
    const byte = Number(BigInt.asUintN(7, rest));
    const isLast = rest >= -64n && rest < 64n;
    bytes.push(isLast ? byte : byte | 0x80);
    if (isLast) return Uint8Array.from(bytes);
  }
}
