/** A signature in a DSSE envelope. */
export interface EnvelopeSignature {
  /** A hint which key to look for; it proves nothing. */
  readonly keyid: string;
  /** Base64. */
  readonly sig: string;
}

/** A DSSE envelope: `payload` are the exact bytes that were signed, and that are parsed afterwards. */
export interface SignedEnvelope {
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly signatures: readonly EnvelopeSignature[];
}

/**
 * What is signed: DSSE's pre-authentication encoding, `DSSEv1 <bytes of type> <type> <bytes of payload> <payload>`. The lengths keep
 * one pair of type and payload from being read as another.
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}
