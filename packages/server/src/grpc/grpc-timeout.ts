const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** A timer of Node cannot be longer (ms): about 24 days. */
const longestMs = 2 ** 31 - 1;

/** What a `grpc-timeout` header allows (ms); undefined when there is none, or it is none. */
export function parseGrpcTimeout(header: string | undefined): number | undefined {
  const found = header === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(header);
  if (found === null) return undefined;
  const [, digits = "", unit = ""] = found;
  return Math.min(longestMs, Number(digits) * (unitMs[unit] ?? 0));
}
