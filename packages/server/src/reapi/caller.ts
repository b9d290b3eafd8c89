import { isNamespace } from "@cuenv/action-cache";
import type { DigestFunction } from "@cuenv/digest";
import {
  digestFunctionOf,
  type DigestFunction_Value,
  reservedSegments,
} from "@cuenv/reapi/messages";
import { type Identity, isAllowed, type Scope } from "../access-policy.ts";
import type { GrpcCall } from "../grpc/grpc-method.ts";
import { GrpcError } from "../grpc/grpc-status.ts";
import { ownNamespace } from "../own-namespace.ts";
import { tokenOf } from "../presented-token.ts";
import type { ReapiOptions, ReapiStores } from "./reapi-options.ts";

/** Who calls, and where. */
export interface Caller {
  readonly identity: Identity;
  /** Where it writes. */
  readonly namespace: string;
  /** Where it reads, in this order: its own, then those that its token reads besides. */
  readonly readable: readonly string[];
  /** What the instance name has after the namespace: keeps results apart, and nothing else. */
  readonly instance: string;
}

const instancePattern = /^(?!\.{1,2}$)[\w.@+:-]{1,128}$/;
const maxInstanceSegments = 16;

/**
 * Whom a call comes from, and in which namespace: the first segment of the instance name, else the token's own. A pull request names the instance as
 * main does: where that is one that its token only reads, its own is meant. `either`: who writes has to be told it as well as who reads.
 * @throws {GrpcError} UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT
 */
export async function admitCaller(
  options: Pick<ReapiOptions, "policy" | "onTrouble">,
  call: GrpcCall,
  scope: Scope | "either",
  instanceName: string,
): Promise<Caller> {
  const identity = await identify(options, call);
  const [first = "", ...rest] = instanceName.split("/");
  const isValid =
    instanceName === "" ||
    (isNamespace(first) &&
      rest.length < maxInstanceSegments &&
      !reservedSegments.has(first) &&
      rest.every((segment) => instancePattern.test(segment) && !reservedSegments.has(segment)));
  if (!isValid)
    throw new GrpcError(
      "INVALID_ARGUMENT",
      `${JSON.stringify(instanceName.slice(0, 200))} is no instance name: namespace[/name…] of letters, digits and . _ - @ + :, none of them a word of resource names as "blobs"`,
    );
  const namespace = first === "" || isReadThrough(identity, first) ? ownNamespace(identity) : first;
  const scopes: readonly Scope[] = scope === "either" ? ["read", "write"] : [scope];
  if (!scopes.some((each) => isAllowed(identity, each, namespace))) {
    const own = identity.namespaces === "*" ? "all" : identity.namespaces.join(", ");
    throw new GrpcError(
      "PERMISSION_DENIED",
      `${identity.name} may not ${scopes.join(" or ")} in ${namespace} (its namespaces: ${own}; it may ${identity.scopes.join(" and ")})`,
    );
  }
  const others = identity.scopes.includes("read") ? (identity.readsThrough ?? []) : [];
  const readable = [namespace, ...others];
  return { identity, namespace, readable, instance: rest.join("/") };
}

/** Found out once for each call: before its message is read, and again by what it asks for. */
const identities = new WeakMap<GrpcCall, Promise<Identity>>();

/** @throws {GrpcError} UNAUTHENTICATED */
export function identify(
  options: Pick<ReapiOptions, "policy" | "onTrouble">,
  call: GrpcCall,
): Promise<Identity> {
  const known = identities.get(call);
  if (known !== undefined) return known;
  const identity = ownerOf(options, call);
  identities.set(call, identity);
  return identity;
}

async function ownerOf(
  { policy, onTrouble }: Pick<ReapiOptions, "policy" | "onTrouble">,
  { headers, certificateName, identified }: GrpcCall,
): Promise<Identity> {
  let identity: Identity | undefined;
  try {
    identity = await policy.identify(tokenOf(headers.authorization), certificateName);
  } catch (error) {
    onTrouble?.(`cannot find out whose token it is: ${String(error)}`);
  }
  if (identity === undefined)
    throw new GrpcError(
      "UNAUTHENTICATED",
      "a token is needed that this cache knows: authorization: Bearer …",
    );
  identified(identity.name);
  return identity;
}

function isReadThrough(identity: Identity, namespace: string): boolean {
  const { namespaces, readsThrough } = identity;
  if (namespaces === "*" || namespaces.includes(namespace)) return false;
  return readsThrough?.includes(namespace) === true;
}

/** @throws {GrpcError} INVALID_ARGUMENT when the function is not served */
export function storesFor(
  { stores }: Pick<ReapiOptions, "stores">,
  value: DigestFunction_Value,
): ReapiStores {
  const digestFunction = digestFunctionOf(value);
  const found = digestFunction === undefined ? undefined : stores.get(digestFunction);
  return found ?? unserved(stores, `digest function ${value}`);
}

/** @throws {GrpcError} INVALID_ARGUMENT when the function is not served */
export function storesOf(
  { stores }: Pick<ReapiOptions, "stores">,
  digestFunction: DigestFunction,
): ReapiStores {
  return stores.get(digestFunction) ?? unserved(stores, digestFunction);
}

function unserved(stores: ReapiOptions["stores"], what: string): never {
  const served = [...stores.keys()].join(", ").toUpperCase();
  throw new GrpcError("INVALID_ARGUMENT", `${what} is not served; ${served} are`);
}
