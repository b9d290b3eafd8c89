import type { DigestFunction } from "@cuenv/digest";
import { DigestFunction_Value } from "./gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";

/** As messages have it. */
export const digestFunctionValue: Readonly<Record<DigestFunction, DigestFunction_Value>> = {
  sha256: DigestFunction_Value.SHA256,
  blake3: DigestFunction_Value.BLAKE3,
};

/** Of a message; a client that leaves it out means the one that its hashes' length tells: SHA-256. Undefined: it is none of ours. */
export function digestFunctionOf(value: DigestFunction_Value): DigestFunction | undefined {
  switch (value) {
    case DigestFunction_Value.UNKNOWN:
    case DigestFunction_Value.SHA256:
      return "sha256";
    case DigestFunction_Value.BLAKE3:
      return "blake3";
    default:
      return undefined;
  }
}
