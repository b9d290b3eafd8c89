export interface Faults {
  readonly latencyMs?: number;
  readonly jitterMs?: number;
  readonly cutAfterBytes?: number;
  readonly flipAtByte?: number;
  readonly dripBytesPerSecond?: number;
  readonly uploadBytesPerSecond?: number;
  readonly blackHole?: boolean;
  readonly reset?: boolean;
}

export interface ChaosProxy {
  readonly port: number;
  faults: Faults;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

export function startChaosProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<ChaosProxy>;
