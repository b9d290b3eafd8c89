import type { Checkout } from "./runs.ts";

/** What a cache folder may hold, or the remote cache behind it: states of results, and who signed them. */
export interface Stored {
  /** Their results are there, and whole. */
  readonly certain: Map<string, string>;
  /** Of these nobody knows: something was damaged, or edited while it ran, or another machine sent it. */
  readonly possible: Set<string>;
  /** A result was stored of what a failed task had left: nobody knows of which states. */
  hasOfLeftovers: boolean;
  damaged: boolean;
  everDamaged: boolean;
  /** Something was removed while somebody stored: a result that names what goes in that moment is a miss, and no harm. */
  wasTidiedMeanwhile: boolean;
}

export function newStored(): Stored {
  return {
    certain: new Map(),
    possible: new Set(),
    hasOfLeftovers: false,
    damaged: false,
    everDamaged: false,
    wasTidiedMeanwhile: false,
  };
}

function signed(state: string, signer: string): string {
  return `${signer}: ${state}`;
}

/** It stored a result. */
export function isStored(checkouts: readonly Checkout[], by: Checkout, state: string): void {
  by.stored.certain.set(state, by.trust.signer);
  mayBeStored(checkouts, by, state);
}

export function mayBeStored(checkouts: readonly Checkout[], by: Checkout, state: string): void {
  for (const { stored } of checkouts) stored.possible.add(signed(state, by.trust.signer));
}

/** The states whose results are certainly there, and are used. */
export function usable({ stored, trust }: Checkout): ReadonlySet<string> {
  const found = [...stored.certain].filter(([, signer]) => trust.believed.has(signer));
  return new Set(found.map(([state]) => state));
}

export function mayHit({ stored, trust }: Checkout, state: string): boolean {
  if (stored.hasOfLeftovers) return true;
  return [...trust.believed].some((signer) => stored.possible.has(signed(state, signer)));
}

/** Whether anybody may have stored it at any time. */
export function wasStored({ stored }: Checkout, state: string): boolean {
  return stored.hasOfLeftovers || [...stored.possible].some((each) => each.endsWith(`: ${state}`));
}

export function isOwnUsed({ trust: { believed, signer } }: Checkout): boolean {
  return believed.has(signer);
}

/** What is refused is taken away, or another result takes its place. */
export function mayRefuse({ stored, trust }: Checkout): void {
  for (const [state, signer] of stored.certain)
    if (!trust.believed.has(signer)) stored.certain.delete(state);
}
