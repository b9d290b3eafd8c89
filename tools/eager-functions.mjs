import { RolldownMagicString } from "rolldown";
import { parseAst } from "rolldown/parseAst";

/**
 * The code of a module with the functions that `isWanted` names made so that V8 compiles them together with the module: as function expressions in parentheses, which V8
 * takes for called at once. What Node keeps of a module's compiled code is what was compiled before its first line ran; every other function is parsed and compiled
 * in each process anew, when it is first called (16 of the 105 ms of a run of 200 hits).
 *
 * Declarations become variables at the start of what they are declared in, so they are there before any other code of it as they were; their names stay. Not done for asynchronous
 * arrow functions, for which V8 does not do it, nor for methods of classes, which cannot be expressions.
 * @param {string} code an ECMAScript module
 * @param {(start: number, end: number) => boolean} isWanted whether a function was called that starts at one of these places (UTF-16 units, `end` not included)
 * @returns {RolldownMagicString | undefined} undefined when nothing was wanted
 */
export function eagerFunctions(code, isWanted) {
  const text = new RolldownMagicString(code);
  const program = parseAst(code);
  const imports = program.body.filter(({ type }) => type === "ImportDeclaration");
  const state = { code, text, isWanted, count: 0 };
  visitChildren(state, program, { place: imports.at(-1)?.end ?? 0 });
  return state.count === 0 ? undefined : text;
}

/** `scope.place`: where declarations that stand directly in the scope's body are moved to; undefined in a block, which they must not leave. */
function visitChildren(state, node, scope) {
  for (const child of childrenOf(node)) visit(state, child, node, scope);
}

function visit(state, node, parent, scope) {
  if (node.type === "FunctionDeclaration") declaration(state, node, parent, scope);
  else if (isMethod(node)) method(state, node);
  else if (isFunction(node) && !isPartOfOther(node, parent)) expression(state, node);
  // After the node itself: what was moved out of a range keeps that from being moved.
  visitChildren(state, node, isFunction(node) ? bodyScope(node) : blockScope(node, scope));
}

function declaration(state, node, parent, { place }) {
  const exported = parent.type.startsWith("Export");
  if (place === undefined || exported || node.id === null || !wants(state, node, node)) return;
  const { text, code } = state;
  text.remove(node.id.start, node.id.end);
  text.prependRight(node.start, `\nvar ${code.slice(node.id.start, node.id.end)} = (`);
  text.appendLeft(node.end, ");");
  if (place !== node.start) text.move(node.start, node.end, place);
}

/** `name() {}` of an object becomes `name: (function() {})`, which is as good unless it uses `super`. */
function method(state, property) {
  const { value, key } = property;
  const { text, code } = state;
  if (/\bsuper\b/.test(code.slice(value.start, value.end)) || !wants(state, property, value))
    return;
  const before = `${value.async ? "async " : ""}function${value.generator ? "*" : ""}`;
  text.update(
    property.start,
    parametersOf(code, value),
    `${code.slice(key.start, key.end)}: (${before}`,
  );
  text.appendLeft(property.end, ")");
}

function expression(state, node) {
  if (node.type === "ArrowFunctionExpression" && node.async) return;
  if (!wants(state, node, node)) return;
  state.text.prependRight(node.start, "(");
  state.text.appendLeft(node.end, ")");
}

/** V8 says of a function where `function` stands, or `async`, or the name, or the parameters. */
function wants(state, outer, node) {
  const isWanted = state.isWanted(outer.start, Math.max(outer.start, node.body.start));
  if (isWanted) state.count += 1;
  return isWanted;
}

function isMethod(node) {
  return node.type === "Property" && node.method && !node.computed;
}

/** The function of a method, accessor or member of a class is no expression of its own. */
function isPartOfOther(node, parent) {
  if (parent.value !== node) return false;
  return (
    parent.type === "MethodDefinition" ||
    (parent.type === "Property" && (parent.method || parent.kind !== "init"))
  );
}

function isFunction({ type }) {
  return ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"].includes(type);
}

/** After the directives, which must come first. */
function bodyScope({ body }) {
  if (body.type !== "BlockStatement" && body.type !== "FunctionBody") return { place: undefined };
  const directives = body.body.filter(({ directive }) => typeof directive === "string");
  return { body, place: directives.at(-1)?.end ?? body.start + 1 };
}

/** A block is what it is in, if it is the body of the function. */
function blockScope(node, scope) {
  return node === scope.body || node.type === "Program" ? scope : { place: undefined };
}

function parametersOf(code, { start }) {
  return code.indexOf("(", start);
}

function childrenOf(node) {
  const found = Object.values(node).flat();
  return found.filter((child) => typeof child?.type === "string");
}
